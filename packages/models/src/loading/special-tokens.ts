/** Ids with a meaning of their own, as a checkpoint's configuration or metadata names them. */
import type { SpecialTokens } from '@gallop/core';
import type { Settings } from './settings.ts';

export function readSpecialTokens({ json, metadata }: Settings, vocabSize: number): SpecialTokens {
  const isToken = (id: unknown): id is number =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  const listed = (key: string): unknown[] => [json.get(key)].flat();
  const inFile = (name: string): number => metadata?.number(`tokenizer.ggml.${name}_token_id`, -1) ?? -1;
  const ends = metadata ? ['eos', 'eot', 'eom'].map(inFile) : listed('eos_token_id');
  const begin = metadata ? inFile('bos') : json.get('bos_token_id');
  const mask = metadata ? inFile('mask') : json.get('mask_token_id');
  return {
    ...(isToken(begin) && { beginOfSequence: begin }),
    endOfGeneration: new Set(ends.filter(isToken)),
    ...(isToken(mask) && { mask }),
  };
}

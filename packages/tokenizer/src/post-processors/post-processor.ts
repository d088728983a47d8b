/**
 * The contract of post-processors, which put special tokens around texts and treat offsets. Each turns a list of encodings,
 * one for a text alone and two for a pair, into another list; at the end the list is joined into one encoding.
 */
import { Encoding } from '../encoding.ts';

export interface PostProcessor {
  /** Number of special tokens that are added to one text or to a pair; truncation leaves room for them. */
  addedTokens(isPair: boolean): number;
  /** @param addSpecialTokens false for the treatment of offsets and type ids alone. */
  process(encodings: readonly Encoding[], addSpecialTokens: boolean): readonly Encoding[];
}

/** Post-processors one after the other. */
export function sequence(parts: readonly PostProcessor[]): PostProcessor {
  return {
    addedTokens: (isPair) => parts.reduce((sum, part) => sum + part.addedTokens(isPair), 0),
    process: (encodings, addSpecialTokens) =>
      parts.reduce((value, part) => part.process(value, addSpecialTokens), encodings),
  };
}

/** Stands for the text in a layout. */
export const TEXT = -1;

/** The ids that a post-processor puts around one text, with TEXT in the place of the text. */
export function layoutOf(processor: PostProcessor | undefined, addSpecialTokens: boolean): Int32Array {
  const text = Encoding.special([TEXT], [''], 0);
  return processor ? Encoding.merge(processor.process([text], addSpecialTokens)).ids : text.ids;
}

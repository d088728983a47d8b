/** Tokens that end generation: those with the role, and those whose text says so in files that name no role. */
import type { SpecialTokens } from '../tokenizer-parts.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import type { TokenizerMetadata } from './metadata.ts';

const texts: readonly string[] = [
  '<|eot_id|>',
  '<|im_end|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
  '<end_of_turn>',
  '<|endoftext|>',
  '<|eom_id|>',
  '<EOT>',
  '[EOT]',
  '[EOS]',
  '<|end_of_text|>',
  '<end_of_utterance>',
  '<eos>',
  '</s>',
  '<｜end▁of▁sentence｜>',
  // Fill in the middle: padding, repository, file separator.
  '<|fim_pad|>',
  '<fim-pad>',
  '<fim_pad>',
  '<PAD>',
  '[PAD]',
  '<|fim_repo|>',
  '<|repo_name|>',
  '<fim-repo>',
  '<REPO>',
  '<reponame>',
  '<|file_sep|>',
];

/** Ids of the tokens with one of the known texts; a token of the harmony format is left out where the others exist. */
export function endOfGenerationByText(idOf: (text: string) => number): number[] {
  const harmony = idOf('<|return|>') >= 0 && idOf('<|call|>') >= 0;
  return texts
    .filter((text) => !(harmony && text === '<|end|>'))
    .map(idOf)
    .filter((id) => id >= 0);
}

/** The end-of-generation set of a GGUF file. */
export function endOfGenerationIds(
  metadata: TokenizerMetadata,
  vocabulary: Vocabulary,
  special: SpecialTokens,
): ReadonlySet<number> {
  const ids = new Set(endOfGenerationByText((text) => vocabulary.idOf(text)));
  if (special.endOfText !== undefined) ids.add(special.endOfText);
  for (const role of ['eot', 'eom', 'fim_pad', 'fim_rep', 'fim_sep']) {
    const id = metadata.id(`tokenizer.ggml.${role}_token_id`);
    if (id !== undefined && vocabulary.has(id)) ids.add(id);
  }
  return ids;
}

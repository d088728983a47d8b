/** A tokenizer as generation uses it. */

import type { Tokenizer } from '@gallop/tokenizer';
import type { TextCodec } from '../text-model.ts';

/**
 * Text is encoded with the tokenizer's special tokens around it; special tokens of the answer are not shown.
 *
 * @param alsoEnds tokens that end a generation by the model's configuration
 */
export const tokenizerCodec = (tokenizer: Tokenizer, alsoEnds: ReadonlySet<number>): TextCodec => ({
  endOfGeneration: new Set([...tokenizer.endOfGeneration, ...alsoEnds]),
  encodeText: (text) => tokenizer.encode(text),
  encodeChat: (messages) => {
    const text = tokenizer.applyChatTemplate(
      messages.map((message) => ({ ...message })),
      { addGenerationPrompt: true },
    );
    return tokenizer.encode(text, { addSpecialTokens: false });
  },
  openDecoder: () => tokenizer.createDecodeStream({ skipSpecialTokens: true }),
});

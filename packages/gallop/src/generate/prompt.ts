/** From what a caller gives as a prompt to checked token ids. */

import { GallopError, type LanguageModel, requireArgument } from '@gallop/core';
import type { ChatMessage, TextModel } from '../text-model.ts';

/** Plain text, a conversation (the model's chat template is applied) or token ids as they are. */
export type Prompt = string | readonly ChatMessage[] | Int32Array;

/**
 * Token ids of a prompt.
 *
 * @throws GallopError `invalid-argument` for an empty prompt or ids outside the vocabulary; `context-overflow` when
 *   the prompt leaves no room for a token; `unsupported` for a conversation when the model has no chat template
 */
export const encodePrompt = (model: TextModel, prompt: Prompt): Int32Array => {
  const ids = idsOf(model, prompt);
  checkIds(model.languageModel, ids);
  return ids;
};

const idsOf = ({ codec }: TextModel, prompt: Prompt): Int32Array => {
  if (typeof prompt === 'string') return codec.encodeText(prompt);
  if (prompt instanceof Int32Array) return prompt;
  requireArgument(Array.isArray(prompt) && prompt.length > 0 && prompt.every(isMessage), () => {
    return 'Expected a prompt that is a string, token ids in an Int32Array, or a list of messages {role, content}; received something else; pass one of these.';
  });
  return codec.encodeChat(prompt);
};

const isMessage = (message: ChatMessage): boolean =>
  typeof message?.role === 'string' && typeof message.content === 'string';

const checkIds = ({ vocabSize, contextLength }: LanguageModel, ids: Int32Array): void => {
  requireArgument(ids.length > 0, () => {
    return 'Expected a prompt of at least one token; received none; pass some text (this model adds no token of its own).';
  });
  if (ids.length >= contextLength) {
    throw new GallopError(
      'context-overflow',
      `Expected a prompt of at most ${contextLength - 1} tokens (context length ${contextLength}, less one for the answer); received ${ids.length}; shorten it or load the model with a larger contextLength.`,
    );
  }
  const wrong = ids.findIndex((id) => id < 0 || id >= vocabSize);
  requireArgument(wrong < 0, () => {
    return `Expected token ids from 0 to ${vocabSize - 1}; received ${ids[wrong]} at index ${wrong}; encode the text with this model's tokenizer.`;
  });
};

/**
 * What text generation needs: a model that maps ids to logits, and a codec between text and ids. `loadModel` makes both
 * from a file; any other pair that fills these interfaces generates just as well.
 */

import type { LanguageModel } from '@gallop/core';

/** One message of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | (string & {});
  readonly content: string;
}

/** Turns ids into text as they come; never emits half a character. */
export interface TextDecoder {
  /** Text that became certain with this id. */
  push(token: number): string;
  /** Text still held back; call it once, when no more ids will come. */
  flush(): string;
}

/** Text to ids and back. */
export interface TextCodec {
  /** Tokens that end an answer, beside those that the language model itself names. */
  readonly endOfGeneration: ReadonlySet<number>;
  /** Ids of plain text, with the tokens that the model expects around it (beginning of sequence). */
  encodeText(text: string): Int32Array;
  /**
   * Ids of a conversation up to where the assistant's answer begins, by the model's chat template.
   *
   * @throws GallopError `unsupported` when the model has no chat template
   */
  encodeChat(messages: readonly ChatMessage[]): Int32Array;
  /** A decoder for one answer. */
  openDecoder(): TextDecoder;
}

/** A model that text can be generated with. */
export interface TextModel {
  readonly languageModel: LanguageModel;
  readonly codec: TextCodec;
}

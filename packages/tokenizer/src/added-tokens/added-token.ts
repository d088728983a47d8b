/** Added tokens: texts that become one token wherever they occur, found before the model sees the text. */

/** One added token with the flags of tokenizer.json. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Left out by `decode` with skipSpecialTokens, and by `encode` with parseSpecial: false not looked for. */
  readonly special: boolean;
  /** Looked for in the normalized text instead of the raw one. */
  readonly normalized: boolean;
  /** Takes the white space before it along. */
  readonly leftStrip: boolean;
  /** Takes the white space after it along. */
  readonly rightStrip: boolean;
  /** Matches only where no word character stands beside it. */
  readonly singleWord: boolean;
}

/** A stretch of text: an added token, or text between them. Places in UTF-16 units. */
export interface Segment {
  readonly start: number;
  readonly end: number;
  readonly token: AddedToken | undefined;
}

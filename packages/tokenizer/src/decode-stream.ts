/**
 * Decoding while tokens arrive. Text is released as soon as it is complete; while what is decoded ends in U+FFFD, which
 * may be the first bytes of a character, nothing is. Each step decodes the tokens since the last release together with
 * those released before them, because a decoder may look at neighbours, and takes the difference.
 */

/** Decodes ids; `atStart` false where other tokens came before. */
export type DecodeIds = (ids: readonly number[], atStart: boolean) => string;

const REPLACEMENT = '\ufffd';
/** So many waiting tokens are looked at by their end alone, which keeps a stream of invalid bytes linear. */
const LONG_WAIT = 64;
const TAIL = 16;

/** Turns token ids into text one by one. */
export class DecodeStream {
  readonly #decode: DecodeIds;
  /** Tokens of the last release. */
  #context: number[] = [];
  #contextText = '';
  #contextAtStart = true;
  #waiting: number[] = [];

  constructor(decode: DecodeIds) {
    this.#decode = decode;
  }

  /** Takes the next token and returns the text that it completes, often ''. */
  push(id: number): string {
    this.#waiting.push(id);
    if (this.#waiting.length > LONG_WAIT && this.#decode(this.#waiting.slice(-TAIL), false).endsWith(REPLACEMENT)) {
      return '';
    }
    const text = this.#added();
    if (text === '' || text.endsWith(REPLACEMENT)) return '';
    this.#release();
    return text;
  }

  /** The text that is still held back because it ends in an incomplete character, as U+FFFD. Ends the stream. */
  flush(): string {
    const text = this.#waiting.length > 0 ? this.#added() : '';
    this.#release();
    return text;
  }

  #added(): string {
    const whole = this.#decode([...this.#context, ...this.#waiting], this.#contextAtStart);
    if (whole.startsWith(this.#contextText)) return whole.slice(this.#contextText.length);
    // Bytes that came later made released text invalid; it cannot be taken back.
    return this.#decode(this.#waiting, false);
  }

  #release(): void {
    this.#contextAtStart = this.#contextAtStart && this.#context.length === 0;
    this.#context = this.#waiting;
    this.#waiting = [];
    this.#contextText = this.#decode(this.#context, this.#contextAtStart);
  }
}

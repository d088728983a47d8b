/** A queue between one producer that never waits and one consumer that iterates: pieces of text, then an end or an error. */

export class PieceQueue implements AsyncIterableIterator<string, undefined, void> {
  readonly #pieces: string[] = [];
  readonly #onCancel: () => void;
  #wake: (() => void) | undefined;
  #ended: { readonly error?: unknown } | undefined;

  /** @param onCancel called when the consumer leaves before the end */
  constructor(onCancel: () => void) {
    this.#onCancel = onCancel;
  }

  push(piece: string): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  end(): void {
    this.#ended = {};
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#ended = { error };
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    while (this.#pieces.length === 0 && this.#ended === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const value = this.#pieces.shift();
    if (value !== undefined) return { done: false, value };
    if (this.#ended !== undefined && 'error' in this.#ended) throw this.#ended.error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    this.#pieces.length = 0;
    this.#onCancel();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

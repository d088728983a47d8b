/** Measures a generation: the time to the first token, and the speed before and after it. */

/** Times in milliseconds from construction. */
export class Stopwatch {
  readonly #start = performance.now();
  #prompt = this.#start;
  #first: number | undefined;
  #last = this.#start;

  /** Marks that the prompt is encoded and its forward call comes next. */
  beginPrompt(): void {
    this.#prompt = performance.now();
  }

  /** Marks the end of a step; the first one is the prompt's. */
  lap(): void {
    this.#last = performance.now();
    this.#first ??= this.#last;
  }

  /** Figures of a generation that computed `promptTokens` in its first step and chose `tokens` in all. */
  rates(
    promptTokens: number,
    tokens: number,
  ): { firstTokenMilliseconds: number; prefillTokensPerSecond: number; decodeTokensPerSecond: number } {
    const first = this.#first ?? this.#last;
    return {
      firstTokenMilliseconds: first - this.#start,
      prefillTokensPerSecond: perSecond(promptTokens, first - this.#prompt),
      decodeTokensPerSecond: perSecond(Math.max(0, tokens - 1), this.#last - first),
    };
  }
}

const perSecond = (count: number, milliseconds: number): number =>
  count === 0 ? 0 : (1000 * count) / Math.max(milliseconds, 1e-6);

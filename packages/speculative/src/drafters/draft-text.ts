/** A state of a draft model that follows the target's text: what both share is kept, the rest is dropped and fed anew. */

import type { ForwardResult, LanguageModel, Session, Wanted } from '@gallop/core';

export class DraftText {
  readonly #model: LanguageModel;
  #session: Session | undefined;
  #ids: number[] = [];
  /** Rows fed since it was made. */
  fed = 0;

  constructor(model: LanguageModel) {
    this.#model = model;
  }

  /** Committed rows. */
  get length(): number {
    return this.#ids.length;
  }

  /** Keeps the rows that `tokens` begins with, at most `most`. */
  follow(tokens: Int32Array, most: number): void {
    let shared = 0;
    const limit = Math.min(this.#ids.length, tokens.length, most);
    while (shared < limit && this.#ids[shared] === tokens[shared]) shared++;
    if (shared === this.#ids.length) return;
    this.#session?.truncate(shared);
    this.#ids.length = shared;
  }

  /** Feeds tokens as a chain, keeps their rows and returns what was wanted. */
  async append(ids: Int32Array, want: Wanted, signal?: AbortSignal): Promise<ForwardResult> {
    this.#session ??= this.#model.openSession();
    const result = await this.#session.forward({ ids, want, ...(signal && { signal }) });
    this.#session.commit(Int32Array.from(ids.keys()));
    for (const id of ids) this.#ids.push(id);
    this.fed += ids.length;
    return result;
  }

  /** Feeds a tree under the committed rows and keeps none of it. */
  async look(ids: Int32Array, parents: Int32Array, want: Wanted, signal?: AbortSignal): Promise<ForwardResult> {
    this.#session ??= this.#model.openSession();
    this.fed += ids.length;
    return this.#session.forward({ ids, attention: { kind: 'tree', parents }, want, ...(signal && { signal }) });
  }

  bytes(): number {
    return this.#session?.bytes().used ?? 0;
  }

  reset(): void {
    this.dispose();
  }

  dispose(): void {
    this.#session?.dispose();
    this.#session = undefined;
    this.#ids = [];
  }
}

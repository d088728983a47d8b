/**
 * A model state that outlives one generation. It remembers which ids its rows stand for, so that the next prompt only
 * computes what it does not share with the last one: in a conversation, the new message.
 */

import { GallopError, type LanguageModel, type Session } from '@gallop/core';

/** A reusable state; make one with `openContext`, free it with `dispose()`. Serves one generation at a time. */
export class Context {
  readonly #model: LanguageModel;
  #session: Session;
  #ids: number[] = [];
  #busy = false;

  constructor(model: LanguageModel) {
    this.#model = model;
    this.#session = model.openSession();
  }

  get session(): Session {
    return this.#session;
  }

  /** Ids of the committed rows. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Notes that these ids were committed. */
  append(ids: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) this.#ids.push(ids[i]);
  }

  /**
   * Claims the context for a prompt and drops rows that the prompt does not begin with. At least the last prompt token
   * is left to compute, for its logits are wanted.
   *
   * @returns how many tokens of the prompt are already there
   * @throws GallopError `invalid-state` while another generation uses the context, `invalid-argument` for another model
   */
  claim(model: LanguageModel, prompt: Int32Array): number {
    if (this.#busy) {
      throw new GallopError(
        'invalid-state',
        'Expected a context that no generation is using; received one in use; await its result or open a second context.',
      );
    }
    if (model !== this.#model) {
      throw new GallopError(
        'invalid-argument',
        'Expected a context of the model that generates; received one of another model; open one with openContext(model).',
      );
    }
    const shared = this.#sharedLength(prompt);
    if (shared < this.#ids.length) this.#rewind(shared);
    this.#busy = true;
    return this.#ids.length;
  }

  /** Ends the claim. */
  release(): void {
    this.#busy = false;
  }

  /** Forgets everything: the next prompt starts from nothing. */
  reset(): void {
    this.#rewind(0);
  }

  /** Frees the state. */
  dispose(): void {
    this.#session.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #sharedLength(prompt: Int32Array): number {
    const most = Math.min(this.#ids.length, prompt.length - 1);
    let shared = 0;
    while (shared < most && this.#ids[shared] === prompt[shared]) shared++;
    return shared;
  }

  /** Shortens the state; one that cannot rewind is replaced by an empty one. */
  #rewind(length: number): void {
    if (this.#model.capabilities.rewind) {
      this.#session.truncate(length);
      this.#ids.length = length;
      return;
    }
    this.#session.dispose();
    this.#session = this.#model.openSession();
    this.#ids = [];
  }
}

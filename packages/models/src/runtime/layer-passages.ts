/**
 * Remembers what the layers recorded. From one token to the next the commands of all layers are the same: only what they
 * point at has changed. Recording them anew costs a tenth of a small model's pass, copying them next to nothing.
 */
import type { Passage, Recorder, Tensor } from '@gallop/tensor';
import type { LayerContexts } from './layer-context.ts';

/** Passages kept: one per number of rows that drafting tries, and some. */
const capacity = 12;

export class LayerPassages {
  /** By layer range, rows and places, the latest used last. `undefined`: seen once. */
  readonly #passages = new Map<string, Passage>();
  readonly #questions = new Map<string, LayerContexts['questions']>();

  /**
   * Takes x [rows, hiddenSize] through the layers [from, to): by replaying what `run` recorded in the same place before,
   * or by running it.
   */
  run(t: Recorder, x: Tensor, range: readonly [number, number], contexts: LayerContexts, run: () => void): void {
    const layers = range.join();
    const asked = this.#questions.get(layers);
    if (!asked) {
      run();
      this.#questions.set(layers, contexts.questions);
      return;
    }
    contexts.prepare(asked);
    const key = [layers, x.rows, x.address, contexts.places()].join();
    const known = this.#passages.get(key);
    this.#passages.delete(key);
    if (known && t.replay(known)) {
      this.#passages.set(key, known);
      return;
    }
    const passage = t.capture(run);
    if (!passage) return;
    this.#passages.set(key, passage);
    if (this.#passages.size > capacity) this.#passages.delete(this.#passages.keys().next().value!);
  }
}

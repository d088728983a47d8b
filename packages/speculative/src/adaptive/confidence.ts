/**
 * Learns how often what is proposed comes true. A source sorts its candidates into classes (how long the match, how sure the
 * target was last time); P(accepted | class) is counted, for single classes and for what several sources say at once.
 *
 *   p = (hits + n₀ · prior) / (trials + n₀)
 */

/** Weight of the prior, in trials. */
const PRIOR_TRIALS = 6;
/** Trials after which old ones fade. */
const MEMORY = 2048;

/** Hits and trials of classes. */
export class ClassCounts {
  readonly #hits: Float32Array;
  readonly #trials: Float32Array;

  constructor(classes: number) {
    this.#hits = new Float32Array(classes);
    this.#trials = new Float32Array(classes);
  }

  probability(index: number, prior: number): number {
    return (this.#hits[index] + PRIOR_TRIALS * prior) / (this.#trials[index] + PRIOR_TRIALS);
  }

  add(index: number, hit: boolean): void {
    if (this.#trials[index] >= MEMORY) {
      this.#hits[index] /= 2;
      this.#trials[index] /= 2;
    }
    this.#trials[index]++;
    if (hit) this.#hits[index]++;
  }

  clear(): void {
    this.#hits.fill(0);
    this.#trials.fill(0);
  }

  bytes(): number {
    return this.#hits.byteLength + this.#trials.byteLength;
  }

  save(): Float32Array {
    return Float32Array.of(...this.#hits, ...this.#trials);
  }

  /** Takes saved counts over; false when they are of another size or no counts. */
  restore(saved: Float32Array): boolean {
    const size = this.#hits.length;
    const valid =
      saved.length === 2 * size &&
      this.#hits.every((_, i) => saved[i] >= 0 && saved[size + i] >= saved[i] && saved[size + i] <= 2 * MEMORY);
    if (!valid) return false;
    this.#hits.set(saved.subarray(0, size));
    this.#trials.set(saved.subarray(size));
    return true;
  }
}

/** Acceptance of what several sources say about one token: each names a class of its own, or none. */
export class JointConfidence {
  readonly #single: readonly ClassCounts[];
  readonly #priors: readonly Float64Array[];
  readonly #joint: ClassCounts;
  readonly #strides: readonly number[];

  /** @param priors P(accepted | class) before anything was seen, by source */
  constructor(priors: readonly Float64Array[]) {
    this.#priors = priors;
    this.#single = priors.map((row) => new ClassCounts(row.length));
    const strides: number[] = [];
    let size = 1;
    for (const row of priors) {
      strides.push(size);
      size *= row.length + 1;
    }
    this.#strides = strides;
    this.#joint = new ClassCounts(size);
  }

  /** The joint index with source `source` saying `index`, added to what others said. */
  extend(joint: number, source: number, index: number): number {
    return joint + (index + 1) * this.#strides[source];
  }

  /** What a source says in a joint index: its class, or −1. */
  classOf(joint: number, source: number): number {
    return (Math.floor(joint / this.#strides[source]) % (this.#priors[source].length + 1)) - 1;
  }

  probability(joint: number): number {
    let missed = 1;
    for (let source = 0; source < this.#single.length; source++) {
      const index = this.classOf(joint, source);
      if (index >= 0) missed *= 1 - this.#single[source].probability(index, this.#priors[source][index]);
    }
    return Math.min(0.995, this.#joint.probability(joint, 1 - missed));
  }

  add(joint: number, hit: boolean): void {
    this.#joint.add(joint, hit);
    for (let source = 0; source < this.#single.length; source++) {
      const index = this.classOf(joint, source);
      if (index >= 0) this.#single[source].add(index, hit);
    }
  }

  clear(): void {
    for (const counts of [this.#joint, ...this.#single]) counts.clear();
  }

  bytes(): number {
    return [this.#joint, ...this.#single].reduce((sum, counts) => sum + counts.bytes(), 0);
  }

  save(): Float32Array[] {
    return [this.#joint, ...this.#single].map((counts) => counts.save());
  }

  restore(saved: readonly Float32Array[]): boolean {
    const all = [this.#joint, ...this.#single];
    return saved.length === all.length && all.every((counts, i) => counts.restore(saved[i]));
  }
}

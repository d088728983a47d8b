/**
 * What a pass over M rows costs on this machine, c(M). Drafting pays while the tokens it adds are worth more than the rows it
 * feeds: with λ tokens a millisecond in the long run, a draft of M nodes is worth E(M) − λ · c(M + 1).
 */

import { requireArgument } from '@gallop/core';

/** Share of a new measurement in an estimate. */
const GAIN = 0.1;
/** Measurements beyond this multiple of the estimate are taken for interruptions. */
const OUTLIER = 1.6;

/** A measured size. */
export interface MeasuredCost {
  readonly rows: number;
  readonly milliseconds: number;
}

/** Times by number of rows: measured ones, straight lines between them. Learns from every pass. */
export class CostModel {
  readonly #times = new Map<number, number>();
  #known: number[] = [];
  #curve: Float64Array = new Float64Array();

  /** False until a time was measured: the shape is a guess then, and the scale is unknown. */
  #scaled: boolean;

  /**
   * @param measured at least one size; without any, a pass is taken to cost a ninth more for each further row, and the first
   *   pass observed sets the scale
   * @throws GallopError `invalid-argument` for sizes that are no counts or times that are not above 0
   */
  constructor(measured?: readonly MeasuredCost[]) {
    const times = measured ?? [1, 2, 4, 8, 16, 32, 64].map((rows) => ({ rows, milliseconds: (8 + rows) / 9 }));
    requireArgument(
      times.length > 0 &&
        times.every(({ rows, milliseconds }) => Number.isSafeInteger(rows) && rows >= 1 && milliseconds > 0),
      () =>
        'Expected measured sizes of at least one row with times above 0; received others; measure with calibrate().',
    );
    for (const { rows, milliseconds } of times) this.#times.set(rows, milliseconds);
    this.#known = [...this.#times.keys()].sort((a, b) => a - b);
    this.#scaled = measured !== undefined;
  }

  /** Milliseconds of a pass over so many rows. */
  at(rows: number): number {
    if (rows < this.#curve.length) return this.#curve[rows];
    const curve = new Float64Array(Math.max(rows + 1, 65));
    for (let m = 1; m < curve.length; m++) curve[m] = this.#interpolate(m);
    this.#curve = curve;
    return curve[rows];
  }

  /** c(rows) / c(1). */
  ratio(rows: number): number {
    return this.at(rows) / this.at(1);
  }

  /** Takes the time of a pass in: it moves the sizes around it, and all others half as much. */
  observe(rows: number, milliseconds: number): void {
    if (!(milliseconds > 0) || rows < 1) return;
    const change = milliseconds / this.at(rows) - 1;
    const gain = this.#scaled ? (change > OUTLIER - 1 ? GAIN / 4 : GAIN) : 1;
    for (const [index, known] of this.#known.entries()) {
      const isNear =
        known === rows ||
        (known < rows && !(this.#known[index + 1] <= rows)) ||
        (known > rows && !(this.#known[index - 1] >= rows));
      // What slows one size mostly slows all: longer texts, other programs, another clock.
      const share = !this.#scaled || isNear ? 1 : 0.5;
      this.#times.set(known, this.#times.get(known)! * (1 + gain * share * change));
    }
    this.#scaled = true;
    this.#curve = new Float64Array();
  }

  /** The estimates at the measured sizes. */
  measured(): MeasuredCost[] {
    return this.#known.map((rows) => ({ rows, milliseconds: this.#times.get(rows)! }));
  }

  #interpolate(rows: number): number {
    const known = this.#known;
    if (known.length === 1) return this.#times.get(known[0])! * ((7 + rows) / (7 + known[0]));
    let high = known.findIndex((size) => size >= rows);
    if (high < 0) high = known.length - 1;
    const [a, b] = high === 0 ? [known[0], known[1]] : [known[high - 1], known[high]];
    const [timeA, timeB] = [this.#times.get(a)!, this.#times.get(b)!];
    return Math.max(timeA + ((timeB - timeA) * (rows - a)) / (b - a), Math.min(timeA, timeB) / 4);
  }
}

/** The draft size with the greatest tokens per pass ÷ c: 0 means that drafting loses. */
export const bestDraftSize = (cost: CostModel, expectedTokens: (drafts: number) => number, most: number): number => {
  let best = 0;
  let rate = 1 / cost.at(1);
  for (let drafts = 1; drafts <= most; drafts++) {
    const other = expectedTokens(drafts) / cost.at(drafts + 1);
    if (other > rate) {
      best = drafts;
      rate = other;
    }
  }
  return best;
};

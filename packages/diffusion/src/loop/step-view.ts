/** A step in progress: proposals and scores of the positions that somebody asks about, each computed once. */
import type { BlockQuota, Canvas, Pass, Proposer, Sampler, Scorer, StepContext, StepView } from './sampler.ts';

/** Masked positions of [start, end). */
export const maskedPositions = (ids: Int32Array, maskToken: number, start: number, end: number): Int32Array => {
  const found: number[] = [];
  for (let position = start; position < Math.min(end, ids.length); position++) {
    if (ids[position] === maskToken) found.push(position);
  }
  return Int32Array.from(found);
};

export interface LogitChange {
  readonly bias: ReadonlyMap<number, number>;
  /** Token that is never proposed. */
  readonly banned: number | undefined;
}

export class LazyStep implements StepView {
  readonly pass: number;
  readonly call: number;
  readonly block: StepContext['block'];
  readonly random: StepContext['random'];
  readonly ids: Int32Array;
  readonly maskToken: number;
  readonly positions: Int32Array;
  readonly quota: number;
  readonly #rows: Pass;
  readonly #proposer: Proposer;
  readonly #scorer: Scorer;
  readonly #change: LogitChange;
  readonly #known = new Map<number, { readonly token: number; readonly score: number }>();

  constructor(
    context: StepContext,
    canvas: Canvas,
    rows: Pass,
    { proposer, scorer }: Pick<Sampler, 'proposer' | 'scorer'>,
    change: LogitChange,
    quota: BlockQuota | undefined,
  ) {
    this.pass = context.pass;
    this.call = context.call;
    this.block = context.block;
    this.random = context.random;
    this.ids = canvas.ids.slice();
    this.maskToken = canvas.maskToken;
    this.positions = maskedPositions(canvas.ids, canvas.maskToken, context.block.start, context.block.end);
    this.quota = quota?.count(context.call, this.positions.length) ?? this.positions.length;
    this.#rows = rows;
    this.#proposer = proposer;
    this.#scorer = scorer;
    this.#change = change;
  }

  get scores(): Float64Array {
    return Float64Array.from(this.positions, (position) => this.score(position));
  }

  token(position: number): number {
    return this.#at(position).token;
  }

  score(position: number): number {
    return this.#at(position).score;
  }

  /** The same proposals in the light of a block that was planned from them. */
  within(canvas: Canvas, block: StepContext['block'], quota: BlockQuota | undefined): StepView {
    const { pass, random, ids, maskToken } = this;
    const positions = maskedPositions(canvas.ids, maskToken, block.start, block.end);
    const score = (position: number): number => this.score(position);
    return {
      ...{ pass, random, ids, maskToken, positions, block, call: 0, score },
      quota: quota?.count(0, positions.length) ?? positions.length,
      token: (position) => this.token(position),
      get scores() {
        return Float64Array.from(positions, score);
      },
    };
  }

  #at(position: number): { readonly token: number; readonly score: number } {
    let known = this.#known.get(position);
    if (known === undefined) {
      const { pass, call, block, random } = this;
      const logits = this.#rows.logits(position);
      for (const [token, bias] of this.#change.bias) logits[token] += bias;
      if (this.#change.banned !== undefined) logits[this.#change.banned] = Number.NEGATIVE_INFINITY;
      const context = { pass, call, block, random, position, row: this.#rows.row(position) };
      const proposal = this.#proposer(logits, context);
      known = { token: proposal.token, score: this.#scorer(proposal, context) };
      this.#known.set(position, known);
    }
    return known;
  }
}

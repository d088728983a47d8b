/**
 * The loop that every sampler runs in: find a block, compute its rows, let the policy keep some proposals, repeat until the
 * block is full. One call of the network is one step. A step commits a position at most once, and a run without
 * `compatible` leaves no mask.
 */
import { GallopError, type LanguageModel, type Session } from '@gallop/core';
import { noCache } from '../cache/no-cache.ts';
import { checkCanvas } from './checks.ts';
import { type DiffusionRandom, keyedDiffusionRandom, type SeedOptions } from './random-source.ts';
import type { Block, BlockQuota, CacheRun, Canvas, Pass, Sampler, StepView } from './sampler.ts';
import type { DiffusionStep } from './step.ts';
import { LazyStep, type LogitChange, maskedPositions } from './step-view.ts';

export interface DiffuseInput {
  readonly model: LanguageModel;
  /** An empty session of the model. Default: one that is opened for the run and disposed after it. */
  readonly session?: Session;
  /** Token ids with the mask token wherever something is to be written. */
  readonly canvas: Int32Array;
  /** First position that blocks may cover. Default: the first masked position. */
  readonly start?: number;
}

export interface DiffuseOptions extends SeedOptions {
  /** Default: counter-based draws of `seed` and `stream`. */
  readonly random?: DiffusionRandom;
  /** Default: the model's. */
  readonly maskToken?: number;
  /** Added to the logits of these tokens; −Infinity forbids one. */
  readonly logitBias?: ReadonlyMap<number, number>;
  /** Cancels between steps: the run rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/**
 * Fills the masked positions of a canvas.
 *
 * @returns steps as they happen; the last one holds the finished canvas. None when nothing is masked
 * @throws GallopError `unsupported` for a model without a mask token or that only looks back, `context-overflow` for a
 *   canvas longer than the model's context, `invalid-argument` for ids out of range, `invalid-state` when a commit policy
 *   names a position that is not masked or names one twice
 */
export async function* diffuse(
  input: DiffuseInput,
  sampler: Sampler,
  options: DiffuseOptions = {},
): AsyncGenerator<DiffusionStep, void, undefined> {
  const { model } = input;
  const firstMask = input.canvas.indexOf(options.maskToken ?? model.tokens.mask ?? -1);
  const start = input.start ?? Math.max(0, firstMask);
  const maskToken = checkCanvas(model, input.canvas, start, options.maskToken);
  options.signal?.throwIfAborted();
  const ids = paddedCanvas(input.canvas, sampler.lengthMultiple ?? 1, maskToken, model.contextLength);
  if (!ids.includes(maskToken)) return;
  const session = input.session ?? model.openSession();
  try {
    yield* new DiffusionRun(model, session, { ids, start, maskToken }, sampler, options).steps();
  } finally {
    if (input.session === undefined) session.dispose();
  }
}

const paddedCanvas = (canvas: Int32Array, multiple: number, maskToken: number, limit: number): Int32Array => {
  const length = Math.ceil(canvas.length / multiple) * multiple;
  if (length > limit) {
    throw new GallopError(
      'context-overflow',
      `Expected at most ${limit} positions; received ${canvas.length}, which become ${length} in blocks of ${multiple}; shorten them.`,
    );
  }
  const ids = new Int32Array(length).fill(maskToken);
  ids.set(canvas);
  return ids;
};

/** A step that decided something, before it is reported. */
interface Decision {
  readonly step: StepView;
  readonly rows: Pass;
  readonly chosen: readonly number[];
  readonly started: number;
}

class DiffusionRun {
  readonly #canvas: Canvas;
  readonly #sampler: Sampler;
  readonly #random: DiffusionRandom;
  readonly #change: LogitChange;
  readonly #signal: AbortSignal | undefined;
  readonly #cache: CacheRun;
  #passes = 0;
  /** The pass that found the block, until the block's first step has used it. */
  #planned: { readonly step: LazyStep; readonly rows: Pass; readonly started: number } | undefined;

  constructor(model: LanguageModel, session: Session, canvas: Canvas, sampler: Sampler, options: DiffuseOptions) {
    this.#canvas = canvas;
    this.#sampler = sampler;
    this.#random = options.random ?? keyedDiffusionRandom(options);
    this.#signal = options.signal;
    this.#change = {
      bias: options.logitBias ?? new Map(),
      banned: sampler.compatible ? undefined : canvas.maskToken,
    };
    const { logitAlignment: alignment, vocabSize } = model;
    const guidance = sampler.guidance ?? 0;
    this.#cache = (sampler.cache ?? noCache())({ session, alignment, vocabSize, guidance, signal: options.signal });
  }

  async *steps(): AsyncGenerator<DiffusionStep, void, undefined> {
    yield* this.#fillCache('prefill', { index: -1, start: 0, end: this.#canvas.start, firstStep: 0 }, () => {
      return this.#cache.prepare?.(this.#canvas);
    });
    let previous: Block | undefined;
    for (;;) {
      const block = await this.#sampler.blocks(this.#canvas, previous, () => this.#plan(previous));
      if (block === undefined) return;
      previous = block;
      const masks = this.#masksOf(block).length;
      if (masks > 0) yield* this.#runBlock(block, masks);
      yield* this.#fillCache('store', block, () => this.#cache.finish?.(this.#canvas, block));
      const stop = this.#sampler.stopper?.afterBlock?.(this.#canvas, block);
      if (stop !== undefined) return yield* this.#fillRest(block, stop.fill);
    }
  }

  async *#runBlock(block: Block, masks: number): AsyncGenerator<DiffusionStep, void, undefined> {
    const { idleSteps = 'never', quota: schedule } = this.#sampler;
    const quota = schedule?.(block, masks);
    for (let call = 0; !this.#isOver(block, call, quota); call++) {
      const left = this.#masksOf(block).length;
      if (idleSteps === 'never' && this.#planned === undefined && quota?.count(call, left) === 0) continue;
      const decision = await this.#decide(block, call, quota);
      const commits = this.#commit(decision);
      const cut = this.#sampler.stopper?.afterStep?.(decision.step, this.#canvas.ids.length);
      if (cut !== undefined && cut < this.#canvas.ids.length) {
        this.#canvas.ids = this.#canvas.ids.slice(0, cut);
        this.#cache.cut?.(cut);
      }
      yield this.#report(decision, block, commits);
    }
  }

  #isOver(block: Block, call: number, quota: BlockQuota | undefined): boolean {
    const { idleSteps = 'never', compatible } = this.#sampler;
    const passes = quota?.passes;
    const masks = this.#masksOf(block).length;
    if (masks > 0) return passes !== undefined && compatible === true && call >= passes;
    if (passes !== undefined && idleSteps === 'always') return call >= passes;
    if (passes !== undefined && idleSteps === 'while-masked') {
      return call >= passes || !this.#canvas.ids.includes(this.#canvas.maskToken);
    }
    return call >= (this.#cache.minimumCalls ?? 1);
  }

  #masksOf(block: Block): Int32Array {
    return maskedPositions(this.#canvas.ids, this.#canvas.maskToken, block.start, block.end);
  }

  /** A pass over everything undecided, for a planner. */
  async #plan(previous: Block | undefined): Promise<StepView> {
    const { ids, start } = this.#canvas;
    const block = { index: (previous?.index ?? -1) + 1, start: previous?.end ?? start, end: ids.length, firstStep: 0 };
    const planned = await this.#look(block, 0, undefined, 'canvas');
    this.#planned = planned;
    return planned.step;
  }

  async #look(
    block: Block,
    call: number,
    quota: BlockQuota | undefined,
    reads: Sampler['reads'] = this.#sampler.reads ?? 'masked',
  ): Promise<{ step: LazyStep; rows: Pass; started: number }> {
    this.#signal?.throwIfAborted();
    const started = performance.now();
    const canvas = this.#canvas;
    const [from, to] = reads === 'canvas' ? [canvas.start, canvas.ids.length] : [block.start, block.end];
    const masked = maskedPositions(canvas.ids, canvas.maskToken, from, to);
    const end = Math.min(to, canvas.ids.length);
    const read = reads === 'masked' ? masked : Int32Array.from({ length: end - from }, (_, index) => from + index);
    const rows = await this.#cache.pass(canvas, block, call, read);
    const context = { pass: this.#passes++, call, block, random: this.#random };
    return { step: new LazyStep(context, canvas, rows, this.#sampler, this.#change, quota), rows, started };
  }

  async #decide(block: Block, call: number, quota: BlockQuota | undefined): Promise<Decision> {
    const planned = this.#planned;
    this.#planned = undefined;
    const { step, rows, started } = planned ?? (await this.#look(block, call, quota));
    const view = planned ? planned.step.within(this.#canvas, block, quota) : step;
    let chosen = view.positions.length > 0 ? this.#sampler.commit(view) : [];
    const overdue = quota?.passes === undefined || call >= quota.passes - 1;
    const mustCommit = view.positions.length > 0 && !this.#sampler.compatible && overdue;
    if (chosen.length === 0 && mustCommit) chosen = [bestOf(view)];
    return { step: view, rows, chosen, started };
  }

  /** Writes the chosen tokens. */
  #commit({ step, chosen }: Decision): Int32Array {
    const positions = Int32Array.from(chosen).sort();
    const { ids, maskToken } = this.#canvas;
    for (const [index, position] of positions.entries()) {
      if (!step.positions.includes(position) || positions[index - 1] === position) {
        throw new GallopError(
          'invalid-state',
          `Expected a commit policy to name masked positions of the block, each once; received ${position}; correct the policy.`,
        );
      }
      ids[position] = step.token(position);
      if (ids[position] === maskToken && !this.#sampler.compatible) {
        throw new GallopError(
          'invalid-state',
          'Expected a proposer to name tokens other than the mask; received the mask; leave its logit at -Infinity.',
        );
      }
    }
    return positions;
  }

  #report({ step, rows, started }: Decision, block: Block, positions: Int32Array): DiffusionStep {
    const ids = this.#canvas.ids.slice();
    return {
      ...{ kind: 'denoise', pass: step.pass, calls: rows.calls, rows: rows.rows, positions, ids },
      tokens: positions.map((position) => step.token(position)),
      scores: Float64Array.from(positions, (position) => step.score(position)),
      block: { index: block.index, start: block.start, end: Math.min(block.end, ids.length) },
      finishesBlock: positions.length > 0 && this.#masksOf(block).length === 0,
      masksLeft: this.#masksLeft(),
      milliseconds: performance.now() - started,
    };
  }

  /** A call that decides nothing, reported when there was one. */
  async *#fillCache(
    kind: 'prefill' | 'store',
    block: Block,
    work: () => Promise<number | undefined> | undefined,
  ): AsyncGenerator<DiffusionStep, void, undefined> {
    this.#signal?.throwIfAborted();
    const started = performance.now();
    const rows = await work();
    if (rows === undefined) return;
    yield {
      ...{ kind, pass: this.#passes, calls: 1, rows, finishesBlock: false, ids: this.#canvas.ids.slice() },
      ...{ positions: new Int32Array(0), tokens: new Int32Array(0), scores: new Float64Array(0) },
      block: { index: block.index, start: block.start, end: block.end },
      masksLeft: this.#masksLeft(),
      milliseconds: performance.now() - started,
    };
  }

  /** Writes `fill` over what is left after an early stop, or cuts it off. */
  *#fillRest(block: Block, fill: number | undefined): Generator<DiffusionStep, void, undefined> {
    const canvas = this.#canvas;
    const positions = maskedPositions(canvas.ids, canvas.maskToken, block.end, canvas.ids.length);
    if (positions.length === 0 || (fill === undefined && this.#sampler.compatible)) return;
    if (fill === undefined) canvas.ids = canvas.ids.slice(0, block.end);
    else for (const position of positions) canvas.ids[position] = fill;
    yield {
      ...{ kind: 'denoise', pass: this.#passes, calls: 0, rows: 0, finishesBlock: true, ids: canvas.ids.slice() },
      ...(fill === undefined
        ? { positions: new Int32Array(0), tokens: new Int32Array(0), scores: new Float64Array(0) }
        : { positions, tokens: positions.map(() => fill), scores: new Float64Array(positions.length) }),
      block: { index: block.index + 1, start: block.end, end: canvas.ids.length },
      ...{ masksLeft: 0, milliseconds: 0 },
    };
  }

  #masksLeft(): number {
    return maskedPositions(this.#canvas.ids, this.#canvas.maskToken, 0, this.#canvas.ids.length).length;
  }
}

/** The surest candidate; a run never stands still. */
const bestOf = ({ positions, scores }: StepView): number => {
  let best = 0;
  for (let index = 1; index < positions.length; index++) if (scores[index] > scores[best]) best = index;
  return positions[best];
};

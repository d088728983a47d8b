/**
 * ReMDM's loop as ParallelBench runs it: one token a step; at 7/8 of the block some extra steps each mask the positions whose
 * confidence at their commit was lowest again and decide as many anew. The only sampler here that takes commits back.
 */
import { dividedSizes, type ScheduleSizes } from '../blocks/planners.ts';
import { noCache } from '../cache/no-cache.ts';
import { positionsFrom } from '../cache/rows.ts';
import { commitBest } from '../commit/rules.ts';
import { checkCanvas, requireWhole } from '../loop/checks.ts';
import type { DiffuseInput, DiffuseOptions } from '../loop/diffuse.ts';
import { keyedDiffusionRandom } from '../loop/random-source.ts';
import type { CacheRun, Canvas } from '../loop/sampler.ts';
import { LazyStep } from '../loop/step-view.ts';
import { noisyProposer } from '../propose/proposers.ts';
import { uniformCounts } from '../quota/schedules.ts';
import { confidence } from '../score/scorers.ts';

export interface RemaskingOptions extends ScheduleSizes {
  /** Extra steps. */
  readonly remaskSteps: number;
  /** Positions that each of them masks again. */
  readonly remaskCount: number;
}

export interface RemaskingStep {
  /** Positions masked again before the call, and decided after it. */
  readonly remasked: Int32Array;
  readonly positions: Int32Array;
  readonly ids: Int32Array;
}

/**
 * Fills the canvas behind `start`, greedily.
 *
 * @throws GallopError as `diffuse`
 */
export async function* remaskingDecode(
  input: DiffuseInput & { readonly start: number },
  options: RemaskingOptions,
  settings: DiffuseOptions & { readonly compatible?: boolean } = {},
): AsyncGenerator<RemaskingStep, void, undefined> {
  const { model } = input;
  const { blockLength, stepsPerBlock } = dividedSizes(options);
  requireWhole('remaskSteps', options.remaskSteps, 0);
  requireWhole('remaskCount', options.remaskCount, 0, blockLength);
  const maskToken = checkCanvas(model, input.canvas, input.start, settings.maskToken);
  const canvas: Canvas = { ids: input.canvas.slice(), start: input.start, maskToken };
  const session = input.session ?? model.openSession();
  const host = {
    session,
    alignment: model.logitAlignment,
    vocabSize: model.vocabSize,
    guidance: 0,
    signal: settings.signal,
  };
  const turn = Math.max(Math.min(Math.floor((7 / 8) * blockLength), blockLength - 1), 1);
  const run = new RemaskingRun(canvas, noCache()(host), settings);
  try {
    for (let start = input.start; start < canvas.ids.length; start += blockLength) {
      const end = Math.min(start + blockLength, canvas.ids.length);
      const counts = uniformCounts(end - start, stepsPerBlock);
      for (const [call, count] of counts.entries()) {
        for (let extra = 0; call === turn && extra < options.remaskSteps; extra++) {
          const remasked = run.remask(start, end, options.remaskCount);
          yield { remasked, ...(await run.decide(start, end, remasked.length)) };
        }
        yield { remasked: new Int32Array(0), ...(await run.decide(start, end, count)) };
      }
    }
  } finally {
    if (input.session === undefined) session.dispose();
  }
}

class RemaskingRun {
  readonly #canvas: Canvas;
  readonly #cache: CacheRun;
  readonly #settings: DiffuseOptions & { readonly compatible?: boolean };
  /** Confidence of each position at its commit; Infinity while it is masked. */
  readonly #confidences: Float64Array;
  #pass = 0;

  constructor(canvas: Canvas, cache: CacheRun, settings: DiffuseOptions & { readonly compatible?: boolean }) {
    this.#canvas = canvas;
    this.#cache = cache;
    this.#settings = settings;
    this.#confidences = new Float64Array(canvas.ids.length).fill(Number.POSITIVE_INFINITY);
  }

  remask(start: number, end: number, count: number): Int32Array {
    const surest = this.#confidences;
    const known = Array.from(positionsFrom(start, end)).filter((position) => Number.isFinite(surest[position]));
    const lowest = known.sort((a, b) => surest[a] - surest[b] || a - b).slice(0, count);
    for (const position of lowest) {
      this.#canvas.ids[position] = this.#canvas.maskToken;
      surest[position] = Number.POSITIVE_INFINITY;
    }
    return Int32Array.from(lowest).sort();
  }

  async decide(start: number, end: number, count: number): Promise<Omit<RemaskingStep, 'remasked'>> {
    const { signal, logitBias = new Map<number, number>(), compatible } = this.#settings;
    signal?.throwIfAborted();
    const canvas = this.#canvas;
    const block = { index: 0, start, end, firstStep: 0 };
    const rows = await this.#cache.pass(canvas, block, this.#pass, positionsFrom(start, end));
    const random = this.#settings.random ?? keyedDiffusionRandom(this.#settings);
    const step = new LazyStep(
      { pass: this.#pass++, call: 0, block, random },
      canvas,
      rows,
      { proposer: noisyProposer(), scorer: confidence },
      { bias: logitBias, banned: compatible ? undefined : canvas.maskToken },
      { count: () => count },
    );
    const positions = Int32Array.from(commitBest(step)).sort();
    for (const position of positions) {
      canvas.ids[position] = step.token(position);
      this.#confidences[position] = step.score(position);
    }
    return { positions, ids: canvas.ids.slice() };
  }
}

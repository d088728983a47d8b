/**
 * Self-speculation by early exit (LayerSkip, Elhoushi et al. 2404.16710; DEL, 2504.05598). The first ℓ layers with the
 * model's own head draft a chain; all layers verify it. Lossless: greedy, and by seeded draws at any temperature.
 *
 * A state cannot keep rows that have passed some layers only, so each drafting call runs the chain so far through layers
 * 1…ℓ again; with row-invariant kernels the numbers are the same ones.
 */

import {
  chooseByUniform,
  chooseGreedy,
  GallopError,
  type LanguageModel,
  requireArgument,
  type SamplingOptions,
  type Session,
  softmax,
  warpLogits,
} from '@gallop/core';
import { keyedRandom } from '../loop/random-source.ts';
import { TokenText } from '../loop/token-text.ts';
import { largestIndex } from '../verify/distribution.ts';
import { type ExitChoice, ExitStatistics, MAXIMUM_DRAFTS } from './del-policy.ts';

export interface SelfSpeculationOptions extends SamplingOptions {
  /**
   * `fixed`: always this layer and number of drafts. `confidence` (DEL): drafting goes on until the confidence falls below
   * the layer's threshold. `tpl` (DELE): as many drafts as the selection says. Default `confidence`.
   */
  readonly exit?: 'confidence' | 'tpl' | { readonly layer: number; readonly drafts: number };
  /** Tokens to generate at least, unless an end token comes; a round may pass it. */
  readonly maxTokens: number;
  readonly ignoreEnd?: boolean;
  /** ω of DEL. Default 0.95. */
  readonly decay?: number;
  /** Drafts of a round at most. Default 18. */
  readonly maximumDrafts?: number;
  /** Positions of the prompt that DEL learns from. Default 32. */
  readonly prefillContext?: number;
  readonly signal?: AbortSignal;
}

/** Rows that each layer has computed. [layers] */
export type LayerRows = Int32Array;

/** One round. */
export interface SelfSpeculationRound {
  readonly tokens: readonly number[];
  readonly exitLayer: number;
  readonly drafted: number;
  readonly accepted: number;
  readonly end?: number;
  readonly afterDraft: LayerRows;
  readonly afterVerify: LayerRows;
  readonly afterCommit: LayerRows;
  /** DEL's statistics after the round. */
  readonly statistics?: ExitStatistics;
}

const checkModel = ({ capabilities, layerCount }: LanguageModel): void => {
  if (capabilities.layerRange && capabilities.rewind && layerCount >= 2) return;
  throw new GallopError(
    'unsupported',
    `Expected a model of at least 2 layers that can run ranges of them; received one of ${layerCount} that cannot; use another drafter.`,
  );
};

/**
 * Generates by self-speculation.
 *
 * @param tokens the text so far; the session holds none of it, or all but the last token
 * @returns by `return`, why it ended
 * @throws GallopError `unsupported` for models without layer ranges, `invalid-argument` for a layer outside 1…L − 1
 */
export async function* selfSpeculate(
  {
    model,
    session,
    tokens,
  }: { readonly model: LanguageModel; readonly session: Session; readonly tokens: ArrayLike<number> },
  options: SelfSpeculationOptions,
): AsyncGenerator<SelfSpeculationRound, 'stop' | 'length', void> {
  checkModel(model);
  const { exit = 'confidence', maxTokens } = options;
  if (typeof exit === 'object') {
    requireArgument(
      Number.isInteger(exit.layer) && exit.layer >= 1 && exit.layer < model.layerCount && exit.drafts >= 0,
      () => {
        return `Expected an exit layer within 1…${model.layerCount - 1} and drafts from 0; received ${exit.layer} and ${exit.drafts}; correct them.`;
      },
    );
  }
  const run = new SelfRun(model, session, tokens, options);
  for (let made = 0; made < maxTokens && run.hasRoom; ) {
    options.signal?.throwIfAborted();
    const round = await run.round(maxTokens - made);
    made += round.tokens.length;
    yield round;
    if (round.end !== undefined) return 'stop';
  }
  return 'length';
}

class SelfRun {
  readonly #model: LanguageModel;
  readonly #session: Session;
  readonly #options: SelfSpeculationOptions;
  readonly #text: TokenText;
  readonly #rows: LayerRows;
  readonly #statistics: ExitStatistics | undefined;
  #choice: Pick<ExitChoice, 'exitLayer' | 'drafts'>;
  #rounds = 0;

  constructor(model: LanguageModel, session: Session, tokens: ArrayLike<number>, options: SelfSpeculationOptions) {
    const { exit = 'confidence' } = options;
    this.#model = model;
    this.#session = session;
    this.#options = options;
    this.#text = new TokenText(tokens);
    this.#rows = new Int32Array(model.layerCount).fill(session.length);
    this.#statistics = typeof exit === 'object' ? undefined : new ExitStatistics(model.layerCount, options.decay);
    this.#choice =
      typeof exit === 'object' ? { exitLayer: exit.layer, drafts: exit.drafts } : { exitLayer: 1, drafts: 1 };
  }

  get hasRoom(): boolean {
    return this.#text.length < this.#model.contextLength;
  }

  async round(remaining: number): Promise<SelfSpeculationRound> {
    const { exitLayer, drafts: plannedDrafts } = this.#choice;
    const fed = this.#text.ids.slice(this.#session.length);
    const drafted = await this.#draft(fed, remaining);
    const afterDraft = this.#rows.slice();
    const ids = Int32Array.of(...fed, ...drafted);
    const logits = await this.#verify(ids, fed.length, plannedDrafts);
    const afterVerify = this.#rows.slice();
    const { accepted, tokens, end } = this.#accept(drafted, logits);
    this.#session.commit(Int32Array.from({ length: fed.length + Math.min(accepted, tokens.length) }, (_, row) => row));
    this.#rows.fill(this.#session.length);
    for (const token of tokens) this.#text.push(token);
    this.#rounds++;
    return {
      ...{ tokens, exitLayer, drafted: drafted.length, accepted, afterDraft, afterVerify },
      afterCommit: this.#rows.slice(),
      ...(end !== undefined && { end }),
      ...(this.#statistics && { statistics: this.#statistics }),
    };
  }

  /** Drafts a chain with the first layers. */
  async #draft(fed: Int32Array, remaining: number): Promise<number[]> {
    const { exitLayer } = this.#choice;
    const { exit = 'confidence', maximumDrafts = MAXIMUM_DRAFTS } = this.#options;
    const learns = exit === 'confidence' && this.#rounds > 0;
    const room = this.#model.contextLength - this.#text.length;
    const planned = exit === 'confidence' ? (learns ? maximumDrafts : 1) : Math.min(this.#choice.drafts, remaining - 1);
    const threshold = learns ? this.#statistics!.threshold(exitLayer) : Number.NEGATIVE_INFINITY;
    const drafted: number[] = [];
    while (drafted.length < Math.min(planned, room)) {
      const ids = Int32Array.of(...fed, ...drafted);
      const { logits } = await this.#forward(ids, 0, exitLayer, Int32Array.of(ids.length - 1));
      const probabilities = softmax(logits!);
      const token = largestIndex(logits!);
      drafted.push(token);
      const ends = this.#options.ignoreEnd !== true && this.#model.tokens.endOfGeneration.has(token);
      if (ends || probabilities[token] < threshold) break;
    }
    return drafted;
  }

  /** All layers over the chain; rows of logits from the root on. DEL looks at every layer on the way. */
  async #verify(ids: Int32Array, textRows: number, plannedDrafts: number): Promise<Float32Array> {
    const { prefillContext = 32 } = this.#options;
    const root = textRows - 1;
    const layers = this.#model.layerCount;
    const contextLength = this.#statistics && this.#rounds === 0 ? Math.min(prefillContext, root) : 0;
    const wanted = Int32Array.from({ length: ids.length - root + contextLength }, (_, i) => root - contextLength + i);
    const { vocabSize } = this.#model;
    if (!this.#statistics) return (await this.#forward(ids, 0, layers, wanted)).logits!;
    const tokens: number[][] = [];
    const confidence: number[][] = [];
    let logits = new Float32Array();
    for (let layer = 0; layer < layers; layer++) {
      logits = (await this.#forward(ids, layer, layer + 1, wanted)).logits as Float32Array<ArrayBuffer>;
      const rows = Array.from(wanted, (_, i) => logits.subarray(i * vocabSize, (i + 1) * vocabSize));
      tokens.push(rows.map(largestIndex));
      if (layer + 1 < layers) confidence.push(rows.map((row, t) => softmax(row)[tokens[layer][t]]));
    }
    this.#statistics.update({ tokens, confidence, exitLayer: this.#choice.exitLayer, contextLength, plannedDrafts });
    const { exitLayer, drafts } = this.#statistics.select({
      maximumDrafts: this.#options.maximumDrafts ?? MAXIMUM_DRAFTS,
    });
    this.#choice = { exitLayer, drafts };
    return logits.subarray(contextLength * vocabSize);
  }

  async #forward(ids: Int32Array, from: number, to: number, logits: Int32Array): ReturnType<Session['forward']> {
    const { signal } = this.#options;
    const layers = [from, to] as const;
    const result = await this.#session.forward({ ids, layers, want: { logits }, ...(signal && { signal }) });
    this.#rows.fill(this.#session.length + ids.length, from, to);
    return result;
  }

  #accept(drafted: readonly number[], logits: Float32Array): { accepted: number; tokens: number[]; end?: number } {
    const { vocabSize, tokens: special } = this.#model;
    const random = keyedRandom(this.#options);
    const tokens: number[] = [];
    for (let row = 0; ; row++) {
      const values = logits.slice(row * vocabSize, (row + 1) * vocabSize);
      warpLogits(values, this.#text.with(tokens), { temperature: 0, ...this.#options });
      const position = this.#text.length + row;
      const token =
        (this.#options.temperature ?? 0) === 0 ? chooseGreedy(values) : chooseByUniform(values, random.next(position));
      const isDraft = row < drafted.length && drafted[row] === token;
      if (this.#options.ignoreEnd !== true && special.endOfGeneration.has(token))
        return { accepted: row + (isDraft ? 1 : 0), tokens, end: token };
      tokens.push(token);
      if (!isDraft) return { accepted: row, tokens };
    }
  }
}

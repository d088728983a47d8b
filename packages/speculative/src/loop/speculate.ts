/**
 * The speculative loop. Between steps the state holds one row less than the text: the last token is the pending root. A
 * step feeds the root and a draft under it, the verifier chooses a path, the state keeps the path's rows, and the token
 * after it becomes the next root.
 */

import {
  checkWarpOptions,
  type LanguageModel,
  requireArgument,
  type SamplingOptions,
  type Session,
  type Wanted,
} from '@gallop/core';
import { type DraftTree, isChain, rootOnly } from '../tree/draft-tree.ts';
import type { Drafter } from './drafter.ts';
import { GuardedDrafter, measureDraft } from './drafting.ts';
import { keyedRandom, type RandomSource } from './random-source.ts';
import type { DecodingStep } from './step.ts';
import { needsBestTokenOnly, TargetRows } from './target-rows.ts';
import { TokenText } from './token-text.ts';
import { type Verification, verifyDraft } from './verification.ts';

export interface SpeculateOptions extends SamplingOptions {
  /** Default none: plain decoding. */
  readonly drafter?: Drafter | undefined;
  /** Most rows of a draft besides the root. Default 64; drafters take what they want of it. */
  readonly budget?: number;
  /** Default `auto`: exact. */
  readonly verification?: Verification;
  /** Most tokens to generate. Default: until an end token or the context's end. */
  readonly maxTokens?: number;
  /** Tokens that end the text. Default: the model's. */
  readonly endTokens?: ReadonlySet<number>;
  /** Go on past end tokens. Default false. */
  readonly ignoreEnd?: boolean;
  /** What a failing drafter means: steps without drafts (default), or a typed error. */
  readonly onFault?: 'fallback' | 'throw';
  /** Default: counter-based draws named by seed, stream and position. */
  readonly random?: RandomSource;
  readonly signal?: AbortSignal;
}

/** What a generation goes on from. */
export interface SpeculateInput {
  readonly model: LanguageModel;
  /** Holds a beginning of `tokens`, at most all but the last one. */
  readonly session: Session;
  /** The text so far; at least one token. */
  readonly tokens: ArrayLike<number>;
}

const checkOptions = ({ model, session, tokens }: SpeculateInput, options: SpeculateOptions): void => {
  checkWarpOptions(options, model.vocabSize);
  const { maxTokens = 1, budget = 1 } = options;
  requireArgument(Number.isSafeInteger(maxTokens) && maxTokens >= 1, () => {
    return `Expected maxTokens to be a whole number from 1; received ${maxTokens}; correct it or leave it out.`;
  });
  requireArgument(Number.isSafeInteger(budget) && budget >= 0 && budget <= 4096, () => {
    return `Expected a budget of 0 to 4096 rows; received ${budget}; correct it or leave it out.`;
  });
  requireArgument(tokens.length >= 1 && session.length < tokens.length, () => {
    return `Expected a text that is longer than the state; received ${tokens.length} tokens for ${session.length} rows; truncate the session.`;
  });
};

/**
 * Generates tokens after a text. When the reader leaves early, the state holds all tokens of the steps read but the last
 * one, as it does between steps.
 *
 * @returns by `return`, why it ended: an end token, or the length. After an end token the state holds the whole text
 * @throws GallopError `invalid-argument` for options out of range, what the model throws, `signal.reason` when cancelled;
 *   the state then holds what was committed before and can go on
 */
export async function* speculate(
  input: SpeculateInput,
  options: SpeculateOptions = {},
): AsyncGenerator<DecodingStep, 'stop' | 'length', void> {
  checkOptions(input, { temperature: 0, ...options });
  const run = new Run(input, { temperature: 0, ...options });
  while (!run.isFull) {
    options.signal?.throwIfAborted();
    const step = await run.step();
    yield step;
    if (step.end !== undefined) {
      run.finish();
      return 'stop';
    }
  }
  run.finish();
  return 'length';
}

class Run {
  readonly #session: Session;
  readonly #options: SpeculateOptions;
  readonly #text: TokenText;
  readonly #random: RandomSource;
  readonly #drafter: GuardedDrafter;
  readonly #rows: TargetRows;
  readonly #vocabularyEnds: ReadonlySet<number>;
  readonly #contextLength: number;
  readonly #end: number;

  constructor({ model, session, tokens }: SpeculateInput, options: SpeculateOptions) {
    this.#session = session;
    this.#options = options;
    this.#text = new TokenText(tokens);
    this.#random = options.random ?? keyedRandom(options);
    this.#drafter = new GuardedDrafter(options.drafter, options.onFault ?? 'fallback', model);
    this.#rows = new TargetRows(this.#text, options, model.vocabSize);
    this.#vocabularyEnds = options.endTokens ?? model.tokens.endOfGeneration;
    this.#contextLength = model.contextLength;
    this.#end = Math.min(model.contextLength, tokens.length + (options.maxTokens ?? Number.POSITIVE_INFINITY));
    options.drafter?.reset?.('request');
  }

  get isFull(): boolean {
    return this.#text.length >= this.#end;
  }

  finish(): void {
    this.#drafter.deliver();
  }

  async step(): Promise<DecodingStep> {
    const start = performance.now();
    this.#drafter.deliver();
    const missing = this.#text.ids.slice(this.#session.length);
    if (missing.length > 1) return this.#feedText(missing, start);
    const { tree, fault } = await this.#propose();
    const drafted = performance.now();
    const { topK, want } = this.#want(tree.tokens.length);
    const chain = isChain(tree.parent) && tree.auxiliary === undefined;
    const result = await this.#session.forward({
      ids: tree.tokens,
      attention: chain ? { kind: 'causal' } : { kind: 'tree', parents: tree.parent },
      want,
      ...(this.#options.signal && { signal: this.#options.signal }),
    });
    const verifyMilliseconds = performance.now() - drafted;
    this.#rows.take(result, tree.tokens.length, topK);
    const verdict = verifyDraft(this.#options.verification ?? 'auto', {
      tree,
      rows: this.#rows,
      random: this.#random,
      position: this.#text.length,
      temperature: this.#options.temperature ?? 1,
    });
    const best = this.#rows.bestTokens(tree.tokens.length, this.#drafter.topK);
    this.#drafter.defer({
      tree,
      ...verdict,
      ...best,
      verifyMilliseconds,
      ...(result.hidden && { hidden: result.hidden }),
    });
    return this.#commit(tree, verdict, { start, drafted, verifyMilliseconds, fault });
  }

  /** The first pass, over text that the state does not hold yet: a plain step. */
  async #feedText(ids: Int32Array, start: number): Promise<DecodingStep> {
    const topK = needsBestTokenOnly(this.#options) ? 1 : 0;
    const { signal } = this.#options;
    const want: Wanted = { logits: 'last', ...(topK > 0 && { topK }) };
    const result = await this.#session.forward({ ids, want, ...(signal && { signal }) });
    this.#rows.take(result, 1, topK);
    const next = this.#rows.choose(0, [], (position) => this.#random.next(position));
    this.#session.commit(Int32Array.from(ids.keys()));
    const verifyMilliseconds = performance.now() - start;
    const tree = rootOnly(ids[ids.length - 1]);
    const path = Int32Array.of(0);
    const position = this.#text.length;
    const ends = this.#ends(next);
    if (!ends) this.#text.push(next);
    return {
      ...{ tokens: ends ? [] : [next], position, proposers: ends ? [] : [undefined], fed: ids.length, drafted: 0 },
      ...{ draftedDepth: 0, accepted: 0, tree, path, milliseconds: verifyMilliseconds, draftMilliseconds: 0 },
      ...(ends && { end: next }),
      verifyMilliseconds,
      bytes: () => this.#session.bytes().used + this.#drafter.bytes(),
    };
  }

  #propose(): ReturnType<GuardedDrafter['propose']> {
    const position = this.#text.length;
    const { budget = 64, temperature = 1, signal } = this.#options;
    const room = this.#contextLength - position;
    return this.#drafter.propose({
      tokens: this.#text.ids,
      budget: this.#end - position > 1 ? Math.min(budget, room) : 0,
      temperature,
      uniform: (index) => this.#random.draft(position - 1, index),
      targetUniform: (depth) => this.#random.next(position + depth),
      ...(signal && { signal }),
    });
  }

  #want(rows: number): { readonly topK: number; readonly want: Wanted } {
    const topK = needsBestTokenOnly(this.#options) ? Math.max(1, this.#drafter.topK) : 0;
    const { hidden } = this.#drafter;
    const logits = rows === 1 ? 'last' : 'all';
    return { topK, want: { logits, ...(topK > 0 && { topK }), ...(hidden && { hidden }) } };
  }

  #ends(token: number): boolean {
    return this.#options.ignoreEnd !== true && this.#vocabularyEnds.has(token);
  }

  #commit(
    tree: DraftTree,
    { path, next }: { readonly path: Int32Array; readonly next: number },
    timing: { start: number; drafted: number; verifyMilliseconds: number; fault: unknown },
  ): DecodingStep {
    const position = this.#text.length;
    const decided = Array.from(path.subarray(1), (row) => tree.tokens[row]);
    decided.push(next);
    const room = this.#end - position;
    const endsAt = decided.findIndex((token, i) => i < room && this.#ends(token));
    const tokens = decided.slice(0, endsAt < 0 ? room : endsAt);
    // After an end the state holds all tokens; otherwise all but the last.
    this.#session.commit(path.slice(0, endsAt < 0 ? tokens.length : tokens.length + 1));
    for (const token of tokens) this.#text.push(token);
    const { drafted, depth } = measureDraft(tree);
    const proposerOf = (_: number, i: number): string | undefined =>
      i + 1 < path.length ? this.#nameOf(tree, path[i + 1]) : undefined;
    return {
      ...{ tokens, position, proposers: tokens.map(proposerOf), fed: tree.tokens.length, drafted, draftedDepth: depth },
      ...{ accepted: path.length - 1, tree, path },
      ...(endsAt >= 0 && { end: decided[endsAt] }),
      milliseconds: performance.now() - timing.start,
      draftMilliseconds: timing.drafted - timing.start,
      verifyMilliseconds: timing.verifyMilliseconds,
      ...(timing.fault !== undefined && { fault: timing.fault }),
      bytes: () => this.#session.bytes().used + this.#drafter.bytes(),
    };
  }

  #nameOf({ source, sources }: DraftTree, row: number): string {
    return (source && sources?.[source[row]]) ?? this.#drafter.name;
  }
}

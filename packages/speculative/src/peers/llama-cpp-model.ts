/**
 * A sequence of node-llama-cpp as a language model, through its `controlledEvaluate` and the erasing of rows. Chains only.
 * The interfaces name just what is used, so that this package does not depend on that one. Its kernels are not
 * row-invariant: where two tokens are nearly as likely, a drafted answer may differ from a plain one.
 */

import {
  type ForwardRequest,
  type ForwardResult,
  GallopError,
  type LanguageModel,
  requireArgument,
  type Session,
} from '@gallop/core';

/** What is asked of a token's evaluation. */
interface LlamaEvaluateOptions {
  readonly generateNext?: {
    readonly logits?: boolean | { readonly filter: { readonly tokens: readonly never[]; readonly includeTop: number } };
    readonly options?: { readonly temperature: number };
  };
}

/** The part of node-llama-cpp's `LlamaContextSequence` that is used. */
export interface LlamaSequence<Token extends number = number> {
  /** Rows in the state. */
  readonly nextTokenIndex: number;
  controlledEvaluate(
    input: (Token | [token: Token, options: LlamaEvaluateOptions])[],
  ): Promise<(undefined | { readonly next: { readonly logits?: ReadonlyMap<Token, number> } })[]>;
  eraseContextTokenRanges(ranges: { readonly start: number; readonly end: number }[]): Promise<unknown>;
}

export interface LlamaCppModelOptions<Token extends number = number> {
  /** Gives a sequence of a context for each session: `() => context.getSequence()`. */
  readonly openSequence: () => LlamaSequence<Token> & { dispose?(): unknown };
  readonly vocabSize: number;
  readonly contextLength: number;
  /** Tokens that end a text: `[model.tokens.eos, model.tokens.eot]`. */
  readonly endTokens?: Iterable<number>;
}

/** A language model over node-llama-cpp. The context and the model stay the caller's. */
export const llamaCppModel = <Token extends number>(options: LlamaCppModelOptions<Token>): LanguageModel => {
  const { vocabSize, contextLength, endTokens = [], openSequence } = options;
  requireArgument(
    [vocabSize, contextLength].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected vocabSize and contextLength to be whole numbers from 1; received ${vocabSize} and ${contextLength}; correct them.`;
    },
  );
  return {
    ...{ vocabSize, contextLength, layerCount: 1, hiddenSize: 1, logitAlignment: 'next' as const },
    capabilities: { treeAttention: false, rewind: true, bidirectional: false, hidden: false, layerRange: false },
    tokens: { endOfGeneration: new Set(endTokens) },
    openSession: () => new LlamaSession(openSequence(), vocabSize, contextLength),
    dispose: () => undefined,
  };
};

class LlamaSession<Token extends number> implements Session {
  readonly #sequence: LlamaSequence<Token> & { dispose?(): unknown };
  readonly #vocabSize: number;
  readonly #contextLength: number;
  #length: number;
  #pending = 0;
  #disposed = false;

  constructor(sequence: LlamaSequence<Token> & { dispose?(): unknown }, vocabSize: number, contextLength: number) {
    this.#sequence = sequence;
    this.#vocabSize = vocabSize;
    this.#contextLength = contextLength;
    this.#length = sequence.nextTokenIndex;
  }

  get length(): number {
    return this.#length;
  }

  async forward({ ids, attention, layers, want = {}, signal }: ForwardRequest): Promise<ForwardResult> {
    if (this.#disposed) throw new GallopError('invalid-state', 'This session was disposed; open another one.');
    signal?.throwIfAborted();
    if ((attention !== undefined && attention.kind !== 'causal') || layers !== undefined || want.hidden !== undefined) {
      throw new GallopError(
        'unsupported',
        'Expected a causal request for logits; received another; llama.cpp evaluates chains only.',
      );
    }
    if (this.#length + ids.length > this.#contextLength) {
      throw new GallopError(
        'context-overflow',
        `Expected at most ${this.#contextLength} rows; received ${this.#length + ids.length}; shorten the text.`,
      );
    }
    // Rows that were not committed, or were truncated, are still in the sequence.
    if (this.#sequence.nextTokenIndex > this.#length) {
      await this.#sequence.eraseContextTokenRanges([{ start: this.#length, end: this.#sequence.nextTokenIndex }]);
    }
    const wanted = new Set(wantedRows(want.logits, ids.length));
    const filter = { tokens: [], includeTop: want.topK ?? 0 };
    const logits = want.topK === undefined ? true : { filter };
    const generateNext = { logits, options: { temperature: 0 } };
    const input = Array.from(ids, (id, row): Token | [Token, LlamaEvaluateOptions] =>
      wanted.has(row) ? [id as Token, { generateNext }] : (id as Token),
    );
    this.#pending = 0;
    const outputs = await this.#sequence.controlledEvaluate(input);
    signal?.throwIfAborted();
    this.#pending = ids.length;
    const maps = [...wanted].map((row) => outputs[row]?.next.logits ?? new Map<Token, number>());
    return want.topK === undefined ? this.#wholeRows(maps) : bestOf(maps, want.topK);
  }

  commit(rows: Int32Array): void {
    if (rows.some((row, index) => row !== index) || rows.length > this.#pending) {
      throw new GallopError(
        'invalid-argument',
        `Expected leading rows of the last ${this.#pending} to commit; received ${rows.join(', ')}; commit a chain.`,
      );
    }
    this.#length += rows.length;
    this.#pending = 0;
  }

  truncate(length: number): void {
    requireArgument(Number.isInteger(length) && length >= 0 && length <= this.#length, () => {
      return `Expected a length within 0…${this.#length}; received ${length}; correct it.`;
    });
    this.#length = length;
    this.#pending = 0;
  }

  fork(): Session {
    throw new GallopError(
      'unsupported',
      'Expected one session a sequence; llama.cpp sequences are not forked here; open another session.',
    );
  }

  bytes(): { readonly used: number; readonly reserved: number } {
    return { used: 0, reserved: 0 }; // held by llama.cpp, which does not say
  }

  dispose(): void {
    if (!this.#disposed) this.#sequence.dispose?.();
    this.#disposed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #wholeRows(maps: readonly ReadonlyMap<Token, number>[]): ForwardResult {
    if (maps.length === 0) return {};
    const logits = new Float32Array(maps.length * this.#vocabSize).fill(Number.NEGATIVE_INFINITY);
    for (const [row, map] of maps.entries())
      for (const [token, value] of map) logits[row * this.#vocabSize + token] = value;
    return { logits };
  }
}

const wantedRows = (logits: NonNullable<ForwardRequest['want']>['logits'], rows: number): readonly number[] => {
  if (logits === undefined) return [];
  if (logits === 'last') return [rows - 1];
  return logits === 'all' ? Array.from({ length: rows }, (_, row) => row) : [...logits];
};

const bestOf = (maps: readonly ReadonlyMap<number, number>[], k: number): ForwardResult => {
  const topTokens = new Int32Array(maps.length * k);
  const topLogits = new Float32Array(maps.length * k);
  for (const [row, map] of maps.entries()) {
    const best = [...map].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, k);
    for (const [rank, [token, value]] of best.entries()) {
      topTokens[row * k + rank] = token;
      topLogits[row * k + rank] = value;
    }
  }
  return { topTokens, topLogits };
};

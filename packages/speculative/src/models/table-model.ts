/**
 * A language model made of a function: from the tokens so far to what comes next. Any source of next-token scores can so be
 * driven by every method of this package; tables of probabilities make exact tests.
 */

import {
  type AttentionPattern,
  type ForwardRequest,
  type ForwardResult,
  GallopError,
  type LanguageModel,
  requireArgument,
  type Session,
} from '@gallop/core';
import { selectBest } from '../loop/target-rows.ts';

/** Scores of the next token after a text. [vocabSize]; −Infinity excludes a token. */
export type NextLogits = (text: Int32Array) => ArrayLike<number> | Promise<ArrayLike<number>>;

export interface FunctionModelOptions {
  readonly vocabSize: number;
  readonly logits: NextLogits;
  /** Default 4096. */
  readonly contextLength?: number;
  /** Tokens that end a text. Default none. */
  readonly endTokens?: Iterable<number>;
  /** Whether branches may be asked for in one call. Default true. */
  readonly treeAttention?: boolean;
}

/** A model that calls a function for every row whose logits are wanted. */
export const functionModel = (options: FunctionModelOptions): LanguageModel => {
  const { vocabSize, contextLength = 4096, endTokens = [], treeAttention = true } = options;
  requireArgument(
    [vocabSize, contextLength].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected vocabSize and contextLength to be whole numbers from 1; received ${vocabSize} and ${contextLength}; correct them.`;
    },
  );
  return {
    ...{ vocabSize, contextLength, layerCount: 1, hiddenSize: 1, logitAlignment: 'next' as const },
    capabilities: { treeAttention, rewind: true, bidirectional: false, hidden: false, layerRange: false },
    tokens: { endOfGeneration: new Set(endTokens) },
    openSession: () => new FunctionSession(options, contextLength, []),
    dispose: () => undefined,
  };
};

/**
 * A model whose next token depends on the last one only.
 *
 * @param table probabilities after each token [vocabulary][vocabulary]
 */
export const tableModel = (
  table: readonly ArrayLike<number>[],
  options: Omit<FunctionModelOptions, 'vocabSize' | 'logits'> = {},
): LanguageModel => {
  const rows = table.map((row) => Float32Array.from(row, Math.log));
  requireArgument(rows.length > 0 && rows.every((row) => row.length === rows.length), () => {
    return `Expected a row of ${rows.length} probabilities for each token; received rows of ${rows.map((row) => row.length).join(', ')}; complete the table.`;
  });
  return functionModel({ ...options, vocabSize: rows.length, logits: (text) => rows[text[text.length - 1]] });
};

class FunctionSession implements Session {
  readonly #options: FunctionModelOptions;
  readonly #contextLength: number;
  #rows: number[];
  #pending: { readonly ids: readonly number[]; readonly pattern: AttentionPattern } | undefined;
  #disposed = false;

  constructor(options: FunctionModelOptions, contextLength: number, rows: readonly number[]) {
    this.#options = options;
    this.#contextLength = contextLength;
    this.#rows = [...rows];
  }

  get length(): number {
    return this.#rows.length;
  }

  async forward({ ids, attention, layers, want = {}, signal }: ForwardRequest): Promise<ForwardResult> {
    this.#requireOpen();
    signal?.throwIfAborted();
    const pattern = attention ?? { kind: 'causal' };
    this.#check(ids, pattern, layers !== undefined || want.hidden !== undefined);
    const { vocabSize, logits } = this.#options;
    const wanted = wantedRows(want.logits, ids.length);
    const values = new Float32Array(wanted.length * vocabSize);
    for (const [index, row] of wanted.entries()) {
      values.set(await logits(Int32Array.from([...this.#rows, ...seenBy(ids, pattern, row)])), index * vocabSize);
      signal?.throwIfAborted();
    }
    this.#pending = { ids: [...ids], pattern };
    if (want.topK === undefined) return wanted.length > 0 ? { logits: values } : {};
    const topTokens = new Int32Array(wanted.length * want.topK);
    for (const index of wanted.keys()) {
      selectBest(values.subarray(index * vocabSize, (index + 1) * vocabSize), want.topK, topTokens, index * want.topK);
    }
    const rowOf = (place: number): number => Math.floor(place / want.topK!) * vocabSize;
    return { topTokens, topLogits: Float32Array.from(topTokens, (token, place) => values[rowOf(place) + token]) };
  }

  commit(rows: Int32Array): void {
    this.#requireOpen();
    const pending = this.#pending;
    if (pending === undefined) {
      throw new GallopError(
        'invalid-state',
        'Expected rows of a forward call to commit; received none; call forward first.',
      );
    }
    for (const [index, row] of rows.entries()) {
      const above = index === 0 ? -1 : rows[index - 1];
      const parent = pending.pattern.kind === 'tree' ? pending.pattern.parents[row] : row - 1;
      requireArgument(row < pending.ids.length && parent === above, () => {
        return `Expected committed rows to form a path from the committed state; received row ${row} after ${above}; commit one branch.`;
      });
    }
    for (const row of rows) this.#rows.push(pending.ids[row]);
    this.#pending = undefined;
  }

  truncate(length: number): void {
    this.#requireOpen();
    requireArgument(Number.isInteger(length) && length >= 0 && length <= this.#rows.length, () => {
      return `Expected a length within 0…${this.#rows.length}; received ${length}; correct it.`;
    });
    this.#rows.length = length;
    this.#pending = undefined;
  }

  fork(): Session {
    this.#requireOpen();
    return new FunctionSession(this.#options, this.#contextLength, this.#rows);
  }

  bytes(): { readonly used: number; readonly reserved: number } {
    return { used: this.#rows.length * 4, reserved: this.#rows.length * 4 };
  }

  dispose(): void {
    this.#disposed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  #requireOpen(): void {
    if (this.#disposed) throw new GallopError('invalid-state', 'This session was disposed; open another one.');
  }

  #check(ids: Int32Array, pattern: AttentionPattern, inside: boolean): void {
    if (inside || (pattern.kind !== 'causal' && pattern.kind !== 'tree')) {
      throw new GallopError(
        'unsupported',
        `Expected a causal or tree request for logits of a model without layers; received ${inside ? 'one for its inside' : pattern.kind}; ask less.`,
      );
    }
    if (this.#rows.length + ids.length > this.#contextLength) {
      throw new GallopError(
        'context-overflow',
        `Expected at most ${this.#contextLength} rows; received ${this.#rows.length + ids.length}; shorten the text.`,
      );
    }
    requireArgument(ids.length > 0 && ids.every((id) => id >= 0 && id < this.#options.vocabSize), () => {
      return `Expected ids below ${this.#options.vocabSize}; received ${[...ids].join(', ')}; correct them.`;
    });
    requireArgument(
      pattern.kind !== 'tree' || pattern.parents.every((parent, row) => parent >= -1 && parent < row),
      () => {
        return 'Expected parents that are earlier rows; received others; correct the tree.';
      },
    );
  }
}

const wantedRows = (logits: NonNullable<ForwardRequest['want']>['logits'], rows: number): readonly number[] => {
  if (logits === undefined) return [];
  if (logits === 'last') return [rows - 1];
  return logits === 'all' ? Array.from({ length: rows }, (_, row) => row) : [...logits];
};

/** The call's tokens that a row sees, itself included. */
const seenBy = (ids: Int32Array, pattern: AttentionPattern, row: number): number[] => {
  if (pattern.kind !== 'tree') return [...ids.subarray(0, row + 1)];
  const path: number[] = [];
  for (let node = row; node >= 0; node = pattern.parents[node]) path.unshift(ids[node]);
  return path;
};

/**
 * A masked-diffusion model made of a function: from the ids at some positions to a row of logits for each. Any source of
 * such scores can so be driven by every sampler of this package; tables of probabilities make exact tests.
 */
import {
  type ForwardRequest,
  type ForwardResult,
  GallopError,
  type LanguageModel,
  requireArgument,
  type Session,
} from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';

/** What a row is about: its position, and the token ids that it sees by position, −1 where there are none. */
export interface CanvasRow {
  readonly position: number;
  readonly ids: Int32Array;
}

export interface CanvasModelOptions {
  readonly vocabSize: number;
  readonly maskToken: number;
  /** Logits of a row [vocabSize]; −Infinity excludes a token. */
  readonly logits: (row: CanvasRow) => ArrayLike<number>;
  /** Default 4096. */
  readonly contextLength?: number;
  /** Default `same`: a row predicts its own position. */
  readonly logitAlignment?: 'next' | 'same';
  /** Tokens that end a text. Default none. */
  readonly endTokens?: Iterable<number>;
}

/** A model that calls a function for every row whose logits are wanted. */
export const canvasModel = (options: CanvasModelOptions): LanguageModel => {
  const { vocabSize, maskToken, contextLength = 4096, logitAlignment = 'same', endTokens = [] } = options;
  requireWhole('vocabSize', vocabSize, 1);
  requireWhole('maskToken', maskToken, 0, vocabSize - 1);
  requireWhole('contextLength', contextLength, 1);
  return {
    ...{ vocabSize, contextLength, logitAlignment, layerCount: 1, hiddenSize: 1 },
    capabilities: { treeAttention: false, rewind: true, bidirectional: true, hidden: false, layerRange: false },
    tokens: { endOfGeneration: new Set(endTokens), mask: maskToken },
    openSession: () => new CanvasSession(options, []),
    dispose: () => undefined,
  };
};

interface PlacedToken {
  readonly id: number;
  readonly position: number;
}

class CanvasSession implements Session {
  readonly #options: CanvasModelOptions;
  #rows: PlacedToken[];
  #pending: readonly PlacedToken[] | undefined;

  constructor(options: CanvasModelOptions, rows: readonly PlacedToken[]) {
    this.#options = options;
    this.#rows = [...rows];
  }

  get length(): number {
    return this.#rows.length;
  }

  async forward({ ids, positions, attention, want = {}, signal }: ForwardRequest): Promise<ForwardResult> {
    signal?.throwIfAborted();
    if (attention?.kind !== 'full' || want.hidden !== undefined || want.topK !== undefined) {
      throw new GallopError(
        'unsupported',
        'Expected whole logits under full attention; received another request; ask less.',
      );
    }
    const next = this.#rows.reduce((most, { position }) => Math.max(most, position), -1) + 1;
    const fed = Array.from(ids, (id, row) => ({ id, position: positions?.[row] ?? next + row }));
    const seen = [...this.#rows, ...fed];
    const canvas = new Int32Array(seen.reduce((most, { position }) => Math.max(most, position), -1) + 1).fill(-1);
    for (const { id, position } of seen) canvas[position] = id;
    const { vocabSize, logits } = this.#options;
    const wanted = wantedRows(want.logits, ids.length);
    const values = new Float32Array(wanted.length * vocabSize);
    for (const [index, row] of wanted.entries()) {
      values.set(logits({ position: fed[row].position, ids: canvas }), index * vocabSize);
    }
    this.#pending = fed;
    return { logits: values };
  }

  commit(rows: Int32Array): void {
    const pending = this.#pending;
    if (pending === undefined) {
      throw new GallopError(
        'invalid-state',
        'Expected rows of a forward call to commit; received none; call forward first.',
      );
    }
    for (const row of rows) this.#rows.push(pending[row]);
    this.#pending = undefined;
  }

  truncate(length: number): void {
    requireArgument(Number.isInteger(length) && length >= 0 && length <= this.#rows.length, () => {
      return `Expected a length within 0…${this.#rows.length}; received ${length}; correct it.`;
    });
    this.#rows.length = length;
    this.#pending = undefined;
  }

  fork(): Session {
    return new CanvasSession(this.#options, this.#rows);
  }

  bytes(): { readonly used: number; readonly reserved: number } {
    return { used: this.#rows.length * 8, reserved: this.#rows.length * 8 };
  }

  dispose(): void {
    this.#rows = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }
}

const wantedRows = (logits: NonNullable<ForwardRequest['want']>['logits'], rows: number): readonly number[] => {
  if (logits === undefined) return [];
  if (logits === 'last') return [rows - 1];
  return logits === 'all' ? Array.from({ length: rows }, (_, row) => row) : Array.from(logits);
};

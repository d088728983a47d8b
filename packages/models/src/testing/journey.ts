/**
 * A random walk through everything a session can do: prompts in random chunks, trees, bitmasks, ranges of layers, given
 * positions, commits, truncations, forks, caches that held something else before. Every row that comes out on the way is
 * compared to the bit with what an oracle computes one token at a time.
 */
import {
  type AttentionPattern,
  type ForwardRequest,
  type ForwardResult,
  type LanguageModel,
  requireArgument,
  type Session,
  type Wanted,
} from '@gallop/core';
import { Draws } from './draws.ts';
import { hashBits, type Oracle, oracleTop } from './oracle.ts';

export interface JourneyOptions {
  readonly seed: number;
  /** Steps after the prompt. */
  readonly steps: number;
  /** Tokens that histories begin with. */
  readonly document: readonly number[];
  /** Position of the first token. Default 0. */
  readonly firstPosition?: number;
  /** Rows of a call, at most. Default 24. */
  readonly maximumRows?: number;
}

export interface JourneyReport {
  /** Calls whose rows were compared. */
  layouts: number;
  /** Rows compared. */
  rows: number;
  /** Logits compared: vocabulary size × rows, or best tokens where only those were asked for. */
  logits: number;
  /** What differed. */
  readonly mismatches: string[];
}

/** A session with the tokens that it holds. */
interface Traveller {
  readonly session: Session;
  readonly path: readonly number[];
}

const none = new Int32Array();

/** Rows that are kept to reach a node of a tree. */
function pathTo(parents: Int32Array, node: number): Int32Array {
  const rows: number[] = [];
  for (let row = node; row >= 0; row = parents[row]) rows.push(row);
  return Int32Array.from(rows.reverse());
}

function ancestorMask(parents: Int32Array): Uint8Array {
  const mask = new Uint8Array(parents.length ** 2);
  parents.forEach((_, row) => {
    for (const seen of pathTo(parents, row)) mask[row * parents.length + seen] = 1;
  });
  return mask;
}

const chain = (length: number): Int32Array => Int32Array.from({ length }, (_, row) => row - 1);

class Journey {
  readonly report: JourneyReport = { layouts: 0, rows: 0, logits: 0, mismatches: [] };
  readonly #model: LanguageModel;
  readonly #oracle: Oracle;
  readonly #options: Required<JourneyOptions>;
  readonly #draws: Draws;
  #travellers: Traveller[] = [];

  constructor(model: LanguageModel, oracle: Oracle, options: JourneyOptions) {
    this.#model = model;
    this.#oracle = oracle;
    this.#options = { firstPosition: 0, maximumRows: 24, ...options };
    this.#draws = new Draws(options.seed);
  }

  async run(): Promise<void> {
    try {
      await this.#setOut();
      for (let step = 0; step < this.#options.steps; step++) await this.#step();
    } finally {
      for (const { session } of this.#travellers) session.dispose();
    }
  }

  /** A prompt of random length in random chunks, sometimes where other rows were before. */
  async #setOut(): Promise<void> {
    const { document, maximumRows } = this.#options;
    const session = this.#model.openSession();
    this.#travellers = [{ session, path: [] }];
    if (this.#draws.chance(0.5)) {
      const other = this.#draws.tokens(this.#draws.integer(1, document.length), this.#model.vocabSize);
      await session.forward({ ids: other });
      session.commit(Int32Array.from(other.keys()));
      session.truncate(0);
    }
    const length = this.#draws.integer(1, document.length + 1);
    while (this.#current.path.length < length) {
      const left = length - this.#current.path.length;
      const rows = this.#draws.chance(0.2) ? left : Math.min(left, this.#draws.integer(1, maximumRows + 1));
      await this.#advance(
        Int32Array.from(document.slice(this.#current.path.length).slice(0, rows)),
        chain(rows),
        rows - 1,
      );
    }
  }

  get #current(): Traveller {
    return this.#travellers[0];
  }

  set #current(traveller: Traveller) {
    this.#travellers[0] = traveller;
  }

  async #step(): Promise<void> {
    const draws = this.#draws;
    const { session, path } = this.#current;
    if (draws.chance(0.12)) return this.#truncate(draws.integer(0, path.length + 1));
    if (draws.chance(0.12)) this.#travellers.unshift({ session: session.fork(), path });
    if (draws.chance(0.12)) this.#travellers.reverse();
    if (this.#travellers.length > 3) this.#travellers.pop()!.session.dispose();
    const room = this.#model.contextLength - this.#current.path.length - this.#options.firstPosition;
    const rows = Math.min(room, draws.integer(1, this.#options.maximumRows + 1));
    if (rows < 1) return this.#truncate(draws.integer(0, path.length));
    const parents = draws.chance(0.3) ? chain(rows) : this.#tree(rows);
    await this.#advance(this.#tokens(rows), parents, draws.integer(-1, rows));
  }

  #truncate(length: number): void {
    const { session, path } = this.#current;
    session.truncate(length);
    this.#current = { session, path: path.slice(0, length) };
  }

  /** What the document goes on with, or anything. */
  #tokens(count: number): Int32Array {
    const { document } = this.#options;
    const { path } = this.#current;
    if (this.#draws.chance(0.5)) return this.#draws.tokens(count, this.#model.vocabSize);
    return Int32Array.from({ length: count }, (_, i) => document[(path.length + i) % document.length]);
  }

  #tree(rows: number): Int32Array {
    const deep = this.#draws.uniform();
    return Int32Array.from({ length: rows }, (_, row) =>
      this.#draws.chance(deep) ? row - 1 : this.#draws.integer(-1, row),
    );
  }

  /** One call over a tree of rows, and a commit of the way to `node` (−1: of nothing). */
  async #advance(ids: Int32Array, parents: Int32Array, node: number): Promise<void> {
    const { session, path } = this.#current;
    const isChain = parents.every((parent, row) => parent === row - 1);
    const attention = this.#pattern(parents, isChain);
    const depths = parents.map((_, row) => pathTo(parents, row).length - 1);
    const mustPlace = this.#options.firstPosition > 0 && path.length === 0;
    const isPlaced = mustPlace || attention.kind === 'bitmask' || this.#draws.chance(0.3);
    const positions = depths.map((depth) => this.#options.firstPosition + path.length + depth);
    const want = this.#want(ids.length);
    const result = await this.#forward(session, {
      ids,
      ...(attention.kind !== 'causal' && { attention }),
      ...(isPlaced && { positions }),
      want,
    });
    const kept = node < 0 ? none : pathTo(parents, node);
    const tokensTo = (row: number): number[] => [...path, ...Array.from(pathTo(parents, row), (seen) => ids[seen])];
    await this.#compare(
      result,
      want,
      ids.length,
      tokensTo,
      `${attention.kind} of ${ids.length} rows after ${path.length}`,
    );
    session.commit(kept);
    if (kept.length > 0) this.#current = { session, path: tokensTo(node) };
  }

  #pattern(parents: Int32Array, isChain: boolean): AttentionPattern {
    if (isChain && this.#draws.chance(0.6)) return { kind: 'causal' };
    if (this.#draws.chance(0.3)) return { kind: 'bitmask', rows: ancestorMask(parents) };
    return { kind: 'tree', parents };
  }

  #want(rows: number): Wanted {
    const draws = this.#draws;
    const some = Int32Array.from({ length: rows }, (_, row) => row).filter(() => draws.chance(0.5));
    const logits = draws.pick(['all', 'all', 'last', some] as const);
    return draws.chance(0.2) ? { logits, topK: draws.integer(1, oracleTop + 1) } : { logits };
  }

  /** Through all layers at once, or in two calls. */
  async #forward(session: Session, request: ForwardRequest): Promise<ForwardResult> {
    const { layerCount } = this.#model;
    const { layerRange } = this.#model.capabilities;
    if (!layerRange || layerCount < 2 || !this.#draws.chance(0.2)) return session.forward(request);
    const middle = this.#draws.integer(1, layerCount);
    const { want, ...rest } = request;
    await session.forward({ ...rest, layers: [0, middle] });
    return session.forward({ ids: request.ids, layers: [middle, layerCount], ...(want && { want }) });
  }

  async #compare(
    result: ForwardResult,
    { logits: wanted, topK }: Wanted,
    rows: number,
    tokensTo: (row: number) => number[],
    call: string,
  ): Promise<void> {
    const every = Array.from({ length: rows }, (_, row) => row);
    const listed = wanted === 'all' ? every : wanted === 'last' ? [rows - 1] : [...(wanted ?? [])];
    const { vocabSize } = this.#model;
    if (listed.length > 0) this.report.layouts++;
    for (const [index, row] of listed.entries()) {
      const expected = await this.#oracle.row(tokensTo(row));
      const isSame =
        topK === undefined
          ? hashBits(result.logits!.subarray(index * vocabSize, (index + 1) * vocabSize)) === expected.logits
          : sameStart(result.topTokens!.subarray(index * topK), expected.topTokens, topK) &&
            sameStart(result.topLogits!.subarray(index * topK), expected.topLogits, topK);
      this.report.rows++;
      this.report.logits += topK ?? vocabSize;
      if (!isSame) this.report.mismatches.push(`seed ${this.#options.seed}: row ${row} of a ${call}`);
    }
  }
}

const sameStart = (a: ArrayLike<number>, b: ArrayLike<number>, count: number): boolean =>
  Array.from({ length: count }, (_, i) => Object.is(a[i], b[i])).every(Boolean);

/**
 * Runs one journey and reports what was compared.
 * @throws GallopError `invalid-argument` for a document that leaves no room in the context
 */
export async function runJourney(
  model: LanguageModel,
  oracle: Oracle,
  options: JourneyOptions,
): Promise<JourneyReport> {
  const longest = options.document.length + (options.firstPosition ?? 0);
  requireArgument(
    options.document.length > 0 && longest <= model.contextLength,
    () => `a document of 1 to ${model.contextLength} tokens was expected; received ${longest}; shorten it`,
  );
  const journey = new Journey(model, oracle, options);
  await journey.run();
  return journey.report;
}

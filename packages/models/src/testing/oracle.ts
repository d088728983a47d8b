/**
 * What a model says one token at a time: the numbers that every other way of computing the same rows must repeat to the
 * bit. Answers are remembered, so that many layouts can be compared with one slow pass.
 */
import type { LanguageModel, Session } from '@gallop/core';

/** Two independent 32-bit hashes of the bits of a row. */
export function hashBits(row: Float32Array): string {
  const words = new Uint32Array(row.buffer, row.byteOffset, row.length);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < words.length; i++) {
    a = Math.imul(a ^ words[i], 0x01000193);
    b = Math.imul(b + words[i], 0x85ebca6b) ^ (b >>> 15);
  }
  return `${(a >>> 0).toString(16)}-${(b >>> 0).toString(16)}`;
}

/** What is known of the row after a path of tokens. */
export interface OracleRow {
  /** Hash of the logits. */
  readonly logits: string;
  /** Best tokens and their logits, best first, ties to the smaller id. */
  readonly topTokens: Int32Array;
  readonly topLogits: Float32Array;
}

/** How many best tokens an oracle keeps. */
export const oracleTop = 5;

function bestTokens(logits: Float32Array): Pick<OracleRow, 'topTokens' | 'topLogits'> {
  const topTokens = new Int32Array(oracleTop).fill(-1);
  const topLogits = new Float32Array(oracleTop).fill(Number.NEGATIVE_INFINITY);
  for (let id = 0; id < logits.length; id++) {
    if (logits[id] <= topLogits[oracleTop - 1]) continue;
    let place = oracleTop - 1;
    for (; place > 0 && logits[id] > topLogits[place - 1]; place--) {
      topLogits[place] = topLogits[place - 1];
      topTokens[place] = topTokens[place - 1];
    }
    topLogits[place] = logits[id];
    topTokens[place] = id;
  }
  return { topTokens, topLogits };
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

export class Oracle implements AsyncDisposable {
  readonly #model: LanguageModel;
  readonly #document: readonly number[];
  readonly #firstPosition: number;
  readonly #main: Session;
  readonly #rows = new Map<string, OracleRow>();
  #mainLength = 0;
  #branch: Session | undefined;
  #branchPath: readonly number[] = [];

  /**
   * @param document tokens that most paths begin with: they are computed once
   * @param firstPosition position of the first token. Default 0
   */
  constructor(model: LanguageModel, document: readonly number[], firstPosition = 0) {
    this.#model = model;
    this.#document = document;
    this.#firstPosition = firstPosition;
    this.#main = model.openSession();
  }

  /** The row of the last token of a path, every token computed in a call of its own. */
  async row(path: readonly number[]): Promise<OracleRow> {
    const key = path.join();
    const known = this.#rows.get(key);
    if (known) return known;
    const shared = commonLength(path, this.#document);
    for (; this.#mainLength < shared; this.#mainLength++)
      await this.#feed(this.#main, this.#document.slice(0, this.#mainLength + 1));
    if (shared < path.length) await this.#follow(path, shared);
    return this.#rows.get(key)!;
  }

  /** Takes the branch session to the end of a path that leaves the document after `shared` tokens. */
  async #follow(path: readonly number[], shared: number): Promise<void> {
    let length = commonLength(path, this.#branchPath);
    if (!this.#branch || length < shared) {
      this.#branch?.dispose();
      this.#branch = this.#main.fork();
      length = shared;
    }
    if (this.#branch.length === length && length === path.length) length--;
    this.#branch.truncate(length);
    this.#branchPath = path;
    for (; length < path.length; length++) await this.#feed(this.#branch, path.slice(0, length + 1));
  }

  async #feed(session: Session, path: readonly number[]): Promise<void> {
    const index = path.length - 1;
    const { logits } = await session.forward({
      ids: Int32Array.of(path[index]),
      positions: Int32Array.of(this.#firstPosition + index),
      want: { logits: 'all' },
    });
    session.commit(Int32Array.of(0));
    this.#rows.set(path.join(), { logits: hashBits(logits!), ...bestTokens(logits!) });
  }

  /** Rows computed so far. */
  get size(): number {
    return this.#rows.size;
  }

  get model(): LanguageModel {
    return this.#model;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#main.dispose();
    this.#branch?.dispose();
  }
}

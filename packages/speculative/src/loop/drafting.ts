/**
 * Asks a drafter, and does not believe it: a draft is checked before it is fed, and a drafter that throws, or proposes what
 * no draft can be, costs the step its draft and nothing else.
 */

import { type Capabilities, GallopError } from '@gallop/core';
import { checkDraftTree, type DraftTree, isChain, rootOnly, treeDepths } from '../tree/draft-tree.ts';
import type { DraftContext, Drafter, DraftObservation } from './drafter.ts';

/** Steps in a row that may fail before the drafter is not asked any more. */
const MAXIMUM_FAULTS = 3;

export interface Proposal {
  readonly tree: DraftTree;
  readonly fault?: unknown;
}

export class GuardedDrafter {
  readonly #drafter: Drafter | undefined;
  readonly #throws: boolean;
  readonly #capabilities: Capabilities;
  readonly #vocabSize: number;
  #faults = 0;
  #observation: DraftObservation | undefined;
  #late: unknown;

  constructor(
    drafter: Drafter | undefined,
    onFault: 'fallback' | 'throw',
    model: { readonly capabilities: Capabilities; readonly vocabSize: number },
  ) {
    this.#drafter = model.capabilities.rewind ? drafter : undefined;
    this.#throws = onFault === 'throw';
    this.#capabilities = model.capabilities;
    this.#vocabSize = model.vocabSize;
  }

  get topK(): number {
    return this.#drafter?.topK ?? 0;
  }

  get hidden(): readonly number[] | undefined {
    return this.#drafter?.hidden;
  }

  get name(): string {
    return this.#drafter?.name ?? 'none';
  }

  bytes(): number {
    return this.#drafter?.bytes?.() ?? 0;
  }

  /** The drafter's tree, or the root alone. */
  async propose(context: DraftContext): Promise<Proposal> {
    const root = context.tokens[context.tokens.length - 1];
    const plain = rootOnly(root);
    const late = this.#takeLateFault();
    if (this.#drafter === undefined || this.#faults >= MAXIMUM_FAULTS || context.budget < 1) {
      return late === undefined ? { tree: plain } : { tree: plain, fault: late };
    }
    try {
      const proposed = this.#drafter.propose(context);
      const tree = proposed instanceof Promise ? await proposed : proposed;
      if (tree === undefined) return { tree: plain };
      checkDraftTree(tree, root, this.#vocabSize, context.budget);
      if (late === undefined) this.#faults = 0;
      return { tree: this.#capabilities.treeAttention || isChain(tree.parent) ? tree : firstChain(tree) };
    } catch (error) {
      context.signal?.throwIfAborted();
      return { tree: plain, fault: this.#note(error) };
    }
  }

  /** Keeps what came of a step until the next one begins, when nobody waits for its tokens any more. */
  defer(observation: DraftObservation): void {
    this.#observation = observation;
  }

  /** Tells the drafter what came of the last step. */
  deliver(): void {
    const observation = this.#observation;
    this.#observation = undefined;
    if (observation === undefined || this.#faults >= MAXIMUM_FAULTS) return;
    try {
      this.#drafter?.observe?.(observation);
    } catch (error) {
      this.#late = this.#note(error);
    }
  }

  #takeLateFault(): unknown {
    const late = this.#late;
    this.#late = undefined;
    return late;
  }

  #note(error: unknown): unknown {
    this.#faults++;
    if (!this.#throws) return error;
    if (GallopError.isInstance(error)) throw error;
    const message = `Expected the drafter "${this.name}" to propose a tree; it threw ${String(error)}; repair it or decode without it.`;
    throw new GallopError('invalid-state', message, { cause: error });
  }
}

/** The chain of first children, for models that can compute one branch only. */
const firstChain = (tree: DraftTree): DraftTree => {
  const { tokens, parent, sampled, auxiliary } = tree;
  const rows = [0];
  for (let row = 1; row < tokens.length; row++) {
    if (parent[row] === rows[rows.length - 1] && auxiliary?.[row] !== 1) rows.push(row);
  }
  const pick = <List extends Uint8Array | Float32Array>(list: List | undefined): number[] | undefined =>
    list && rows.map((row) => list[row]);
  const groups = rows.flatMap((row, index) => {
    const group = index + 1 < rows.length ? sampled?.get(row) : undefined;
    return group === undefined ? [] : [[index, { ...group, count: 1 }] as const];
  });
  const confidence = pick(tree.confidence);
  const source = pick(tree.source);
  return {
    tokens: Int32Array.from(rows, (row) => tokens[row]),
    parent: Int32Array.from(rows, (_, index) => index - 1),
    ...(groups.length > 0 && { sampled: new Map(groups) }),
    ...(confidence && { confidence: Float32Array.from(confidence) }),
    ...(source && tree.sources && { source: Uint8Array.from(source), sources: tree.sources }),
  };
};

/** Candidates of a tree, and the depth of the deepest one. */
export const measureDraft = ({
  parent,
  auxiliary,
}: DraftTree): { readonly drafted: number; readonly depth: number } => {
  const depths = treeDepths(parent);
  let drafted = 0;
  let depth = 0;
  for (let row = 1; row < parent.length; row++) {
    if (auxiliary?.[row] === 1) continue;
    drafted++;
    depth = Math.max(depth, depths[row]);
  }
  return { drafted, depth };
};

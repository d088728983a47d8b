/**
 * The automatic drafter: recycled successors of the last token and of the last two, and the running text, fused node by node;
 * how often each kind of guess comes true is learned, what a pass costs is measured, and each step drafts what pays. Where
 * nothing pays it drafts nothing, goes on learning from the tokens that come, and starts again when the odds change.
 * Lossless: deterministic drafts.
 */

import { requireArgument } from '@gallop/core';
import type { DraftContext, Drafter, DraftObservation } from '../loop/drafter.ts';
import type { DraftTree } from '../tree/draft-tree.ts';
import { JointConfidence } from './confidence.ts';
import { CostModel } from './cost-model.ts';
import { GrowingDraft } from './growing-draft.ts';
import { RecyclingSource } from './recycling-source.ts';
import { SuccessorTable } from './successor-table.ts';
import { SuffixSource } from './suffix-source.ts';

const TOP_K = 6;
/** Share of a step in the running rate of tokens. */
const RATE_GAIN = 0.03;

export interface DraftMemoryOptions {
  readonly vocabSize: number;
  /** What passes cost; learned on the way when it is left out. */
  readonly cost?: CostModel;
  /** Bytes of each of the two tables of successors. Default 2 MB (2 · 10⁶). */
  readonly maximumBytes?: number;
}

/** What is learned across texts: successors, confidences, costs. One memory may serve several generations at once. */
export class DraftMemory {
  readonly cost: CostModel;
  readonly tokens: SuccessorTable;
  readonly pairs: SuccessorTable;
  readonly confidence: JointConfidence;
  /** Tokens and milliseconds of a step, running means. */
  tokensPerStep = 1;
  millisecondsPerStep: number;

  constructor({ vocabSize, cost = new CostModel(), maximumBytes = 2e6 }: DraftMemoryOptions) {
    const topK = Math.min(TOP_K, vocabSize);
    this.cost = cost;
    this.tokens = new SuccessorTable({ vocabSize, topK, maximumBytes });
    this.pairs = new SuccessorTable({ vocabSize, topK, maximumBytes });
    this.confidence = new JointConfidence(this.sources().map(({ priors }) => priors));
    this.millisecondsPerStep = cost.at(1);
  }

  /** Fresh sources over this memory, for one text. */
  sources(): readonly [RecyclingSource, RecyclingSource, SuffixSource] {
    return [new RecyclingSource(this.tokens, false), new RecyclingSource(this.pairs, true), new SuffixSource()];
  }

  clear(): void {
    this.tokens.clear();
    this.pairs.clear();
    this.confidence.clear();
  }

  bytes(): number {
    return this.tokens.bytes() + this.pairs.bytes() + this.confidence.bytes();
  }
}

export interface AutoDrafterOptions {
  readonly memory: DraftMemory;
  /** Most nodes of a draft. Default 32. */
  readonly maximumNodes?: number;
  /** Always draft so many nodes, whether it pays or not: for measurements. */
  readonly fixedNodes?: number;
}

/** The automatic drafter for one text. */
export const autoDrafter = (options: AutoDrafterOptions): Drafter => {
  const { maximumNodes = 32, fixedNodes } = options;
  requireArgument(
    [maximumNodes, fixedNodes ?? 1].every((value) => Number.isSafeInteger(value) && value >= 1),
    () => {
      return `Expected maximumNodes and fixedNodes to be whole numbers from 1; received ${maximumNodes} and ${fixedNodes}; correct them.`;
    },
  );
  return new AutoDrafter(options);
};

class AutoDrafter implements Drafter {
  readonly name = 'auto';
  readonly topK: number;
  readonly #memory: DraftMemory;
  readonly #sources: ReturnType<DraftMemory['sources']>;
  readonly #draft: GrowingDraft;
  readonly #maximumNodes: number;
  readonly #fixedNodes: number | undefined;
  #began = false;

  constructor({ memory, maximumNodes = 32, fixedNodes }: AutoDrafterOptions) {
    this.#memory = memory;
    this.topK = memory.tokens.topK;
    this.#sources = memory.sources();
    this.#draft = new GrowingDraft(this.#sources, memory.confidence);
    this.#maximumNodes = maximumNodes;
    this.#fixedNodes = fixedNodes;
  }

  propose({ tokens, budget }: DraftContext): DraftTree | undefined {
    this.#draft.begin(tokens, Math.min(budget, this.#fixedNodes ?? this.#maximumNodes));
    this.#began = true;
    const nodes = this.#fixedNodes === undefined ? this.#growWhatPays() : this.#growAll();
    return nodes === 0 ? undefined : this.#tree(nodes);
  }

  observe(observation: DraftObservation): void {
    const { tree, path, next, verifyMilliseconds } = observation;
    if (this.#began) {
      for (let depth = 0; depth < path.length; depth++) {
        this.#draft.learn(path[depth], depth + 1 < path.length ? tree.tokens[path[depth + 1]] : next);
      }
    }
    this.#began = false;
    for (const source of this.#sources) if ('observe' in source) source.observe(observation);
    const memory = this.#memory;
    const rows = tree.tokens.length;
    memory.cost.observe(rows, verifyMilliseconds);
    memory.tokensPerStep += RATE_GAIN * (path.length - memory.tokensPerStep);
    memory.millisecondsPerStep += RATE_GAIN * (memory.cost.at(rows) - memory.millisecondsPerStep);
  }

  reset(scope: 'request' | 'all'): void {
    this.#began = false;
    for (const source of this.#sources) source.reset();
    if (scope === 'all') this.#memory.clear();
  }

  bytes(): number {
    return this.#memory.bytes() + this.#sources[2].bytes();
  }

  #growAll(): number {
    while (this.#draft.peek() > 0) this.#draft.grow();
    return this.#draft.size;
  }

  /** Grows while nodes may pay; returns how many of them do. */
  #growWhatPays(): number {
    const { cost } = this.#memory;
    const rate = Math.max(1 / cost.at(1), this.#memory.tokensPerStep / this.#memory.millisecondsPerStep);
    let expected = 1;
    let best = 0;
    let value = 1 - rate * cost.at(1);
    while (this.#draft.peek() > 0) {
      const nodes = this.#draft.size + 1;
      const path = this.#draft.peek();
      // Even if all rows up to the end of the next tile were as good as this one, it would not pay.
      const ahead = nodes + 8;
      if (
        expected + 8 * path - rate * cost.at(ahead + 1) < value &&
        expected + path - rate * cost.at(nodes + 1) < value &&
        path < 0.05
      )
        break;
      this.#draft.grow();
      expected += path;
      const worth = expected - rate * cost.at(nodes + 1);
      if (worth > value) {
        value = worth;
        best = nodes;
      }
      if (nodes > best + 12) break;
    }
    return best;
  }

  #tree(nodes: number): DraftTree {
    const rows = Array.from({ length: nodes + 1 }, (_, node) => node);
    const draft = this.#draft;
    return {
      tokens: Int32Array.from(rows, (node) => draft.token(node)),
      parent: Int32Array.from(rows, (node) => draft.parent(node)),
      confidence: Float32Array.from(rows, (node) => draft.path(node)),
      source: Uint8Array.from(rows, (node) => draft.source(node)),
      sources: this.#sources.map(({ name }) => name),
    };
  }
}

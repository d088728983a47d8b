/**
 * Drafters made of drafters: several trees in one (fuse), one behind another (chain), the first that has something to say
 * (fall back), and as much of a draft as pays (adaptive size). All keep the guarantee of their parts.
 */

import { requireArgument } from '@gallop/core';
import { bestDraftSize, type CostModel } from '../adaptive/cost-model.ts';
import type { DraftContext, Drafter, DraftObservation } from '../loop/drafter.ts';
import { type DraftTree, treeDepths } from '../tree/draft-tree.ts';

/** What combined drafters share. Every part observes every step. */
const combined = (name: string, parts: readonly Drafter[]): Omit<Drafter, 'propose'> => {
  requireArgument(parts.length > 0, () => `Expected at least one drafter to ${name}; received none; give some.`);
  const topK = Math.max(...parts.map((part) => part.topK ?? 0));
  const hidden = [...new Set(parts.flatMap((part) => part.hidden ?? []))];
  return {
    name: parts.map((part) => part.name).join('+'),
    ...(topK > 0 && { topK }),
    ...(hidden.length > 0 && { hidden }),
    observe: (observation) => {
      for (const part of parts) part.observe?.(observation);
    },
    reset: (scope) => {
      for (const part of parts) part.reset?.(scope);
    },
    bytes: () => parts.reduce((sum, part) => sum + (part.bytes?.() ?? 0), 0),
    dispose: () => {
      for (const part of parts) part.dispose?.();
    },
  };
};

/** Rows of a tree under construction. */
interface Rows {
  readonly tokens: number[];
  readonly parent: number[];
  readonly confidence: number[];
  readonly source: number[];
}

const child = ({ tokens, parent }: Rows, above: number, token: number): number => {
  for (let row = above + 1; row < tokens.length; row++) if (parent[row] === above && tokens[row] === token) return row;
  return -1;
};

/** Adds the candidates of a tree under a row; rows that are there already are shared. Returns where each row went. */
const graft = (rows: Rows, tree: DraftTree, under: number, source: number, budget: number): Int32Array => {
  const place = new Int32Array(tree.tokens.length).fill(-1);
  place[0] = under;
  for (let row = 1; row < tree.tokens.length; row++) {
    const above = place[tree.parent[row]];
    if (above < 0 || tree.auxiliary?.[row] === 1) continue;
    const known = child(rows, above, tree.tokens[row]);
    const confidence = (tree.confidence?.[row] ?? 1) * (under === 0 ? 1 : rows.confidence[under]);
    if (known >= 0) {
      rows.confidence[known] = Math.max(rows.confidence[known], confidence);
      place[row] = known;
    } else if (rows.tokens.length <= budget) {
      place[row] = rows.tokens.push(tree.tokens[row]) - 1;
      rows.parent.push(above);
      rows.confidence.push(confidence);
      rows.source.push(source);
    }
  }
  return place;
};

const beginRows = (root: number): Rows => ({ tokens: [root], parent: [-1], confidence: [1], source: [0] });

const finish = (rows: Rows, parts: readonly Drafter[], first?: DraftTree): DraftTree | undefined =>
  rows.tokens.length === 1
    ? undefined
    : {
        tokens: Int32Array.from(rows.tokens),
        parent: Int32Array.from(rows.parent),
        confidence: Float32Array.from(rows.confidence),
        source: Uint8Array.from(rows.source),
        sources: parts.map(({ name }) => name),
        ...(first?.sampled && { sampled: first.sampled }),
      };

/** Keeps drawn groups whole: rows of a sampled tree must not be merged into others. */
const requireDeterministic = (tree: DraftTree | undefined, name: string): void =>
  requireArgument((tree?.sampled?.size ?? 0) === 0, () => {
    return `Expected deterministic drafts of "${name}"; received drawn ones; put that drafter first, or let it draft greedily.`;
  });

/**
 * One tree of all drafts: the first drafter's rows come first, what others add behind them. Only the first one may draw its
 * drafts; what others add to a drawn group counts as deterministic.
 */
export const fuseDrafters = (...parts: readonly Drafter[]): Drafter => ({
  ...combined('fuse', parts),
  async propose(context: DraftContext): Promise<DraftTree | undefined> {
    const rows = beginRows(context.tokens[context.tokens.length - 1]);
    let first: DraftTree | undefined;
    for (const [index, part] of parts.entries()) {
      // Later drafters keep a share of the budget, whatever earlier ones would take.
      const left = context.budget - (rows.tokens.length - 1);
      const tree = await part.propose({ ...context, budget: Math.ceil(left / (parts.length - index)) });
      if (index > 0) requireDeterministic(tree, part.name);
      if (index === 0) first = tree;
      if (tree !== undefined) graft(rows, tree, 0, index, context.budget);
    }
    return finish(rows, parts, first);
  },
});

/** The leaf that a draft most likely reaches: by confidence, or the deepest of the first ones. */
const likelyLeaf = ({ parent, confidence }: DraftTree): number => {
  const depth = treeDepths(parent);
  const isParent = new Set(parent);
  let best = 0;
  for (let row = 1; row < parent.length; row++) {
    if (isParent.has(row)) continue;
    const better = confidence ? confidence[row] > confidence[best] : depth[row] > depth[best];
    if (best === 0 || better) best = row;
  }
  return best;
};

/** The second drafter goes on where the first one's likeliest path ends. */
export const chainDrafters = (first: Drafter, second: Drafter): Drafter => ({
  ...combined('chain', [first, second]),
  async propose(context: DraftContext): Promise<DraftTree | undefined> {
    const tree = await first.propose(context);
    if (tree === undefined || tree.auxiliary !== undefined) return tree ?? second.propose(context);
    const rows = beginRows(tree.tokens[0]);
    const place = graft(rows, tree, 0, 0, context.budget);
    const leaf = place[likelyLeaf(tree)];
    const path: number[] = [];
    for (let row = leaf; row > 0; row = rows.parent[row]) path.unshift(rows.tokens[row]);
    const left = context.budget - (rows.tokens.length - 1);
    const tokens = Int32Array.of(...context.tokens, ...path);
    const more = left > 0 ? await second.propose({ ...context, tokens, budget: left }) : undefined;
    requireDeterministic(more, second.name);
    if (more !== undefined) graft(rows, more, leaf, 1, context.budget);
    return finish(rows, [first, second], tree);
  },
});

/** The first draft there is, in order. */
export const fallbackDrafters = (...parts: readonly Drafter[]): Drafter => ({
  ...combined('fall back', parts),
  async propose(context: DraftContext): Promise<DraftTree | undefined> {
    for (const [index, part] of parts.entries()) {
      const tree = await part.propose(context);
      if (tree === undefined || tree.tokens.length === 1) continue;
      const source = tree.source
        ? {}
        : { source: new Uint8Array(tree.tokens.length).fill(index), sources: parts.map(({ name }) => name) };
      return { ...tree, ...source };
    }
    return undefined;
  },
});

/** Steps after which a whole draft is asked for again. */
const PROBE_EVERY = 24;
const GAIN = 0.08;

/**
 * As much of another drafter's drafts as pays. Rows stand in an order in which any first ones form a tree, so every step
 * shows what smaller drafts would have yielded: the size with most tokens a millisecond is asked for next. When that is none,
 * drafting pauses and is tried again from time to time.
 */
export const adaptiveSize = (drafter: Drafter, cost: CostModel, maximum: number = 32): Drafter => {
  requireArgument(Number.isSafeInteger(maximum) && maximum >= 1 && maximum <= 4096, () => {
    return `Expected a maximum of 1 to 4096 nodes; received ${maximum}; correct it.`;
  });
  /** Tokens that a step yields with a draft of so many nodes. */
  const expected = new Float64Array(maximum + 1).fill(1);
  let size = maximum;
  let steps = 0;
  const learn = ({ tree, path, verifyMilliseconds }: DraftObservation): void => {
    cost.observe(tree.tokens.length, verifyMilliseconds);
    if (size === 0) return;
    for (let nodes = 1; nodes <= size; nodes++) {
      const tokens = path.filter((row) => row <= nodes).length;
      expected[nodes] += GAIN * (tokens - expected[nodes]);
    }
    for (let nodes = size + 1; nodes <= maximum; nodes++) expected[nodes] = Math.max(expected[nodes], expected[size]);
  };
  return {
    ...combined('size', [drafter]),
    propose: (context) => {
      steps++;
      const isProbe = steps <= PROBE_EVERY / 2 || steps % PROBE_EVERY === 0;
      size = isProbe ? maximum : bestDraftSize(cost, (nodes) => expected[nodes], maximum);
      size = Math.min(size, context.budget);
      return size === 0 ? undefined : drafter.propose({ ...context, budget: size });
    },
    observe: (observation) => {
      learn(observation);
      drafter.observe?.(observation);
    },
  };
};

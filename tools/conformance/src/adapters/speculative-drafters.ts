/** Drafters without a model: lookup, retrieval, n-gram pools, Token Recycling, ADED, RASD. */
import {
  bestIndices,
  buildTrie,
  buildTrigramTable,
  cutPaths,
  draftTrie,
  fusePaths,
  leafPaths,
  lookaheadParents,
  NgramPool,
  promptLookup,
  proposeByTrigrams,
  pruneTrie,
  puct,
  RecyclingMatrix,
  recycle,
  recycledTree,
  retrieve,
  SuffixAutomaton,
  searchTrigrams,
  TokenCorpus,
  TrigramTable,
  treeBuffers,
  treeTemplate,
} from '@gallop/speculative';
import { type CaseContext, register, type TensorValue } from '../registry.ts';
import { floats, integers, matrix, numbers, one, padded, rowsOf, treeOf, unpadded } from './speculative-shared.ts';

const count = (context: CaseContext, name: string): number => context.params[name] as number;

register('speculative', 'core-verification', 'prompt-lookup', (context) => {
  const { eosToken, maxLength, mode } = context.params;
  return {
    draft: promptLookup(integers(context, 'tokens'), {
      maxNgram: count(context, 'maxNgram'),
      numPredicted: count(context, 'numPredicted'),
      mode: mode === 'specBench' ? 'spec-bench' : 'transformers',
      ...(typeof eosToken === 'number' && { endTokens: new Set([eosToken]) }),
      ...(typeof maxLength === 'number' && { maxLength }),
    }),
  };
});

register('speculative', 'core-verification', 'rest-retrieve', (context) => {
  const found = retrieve(new TokenCorpus(integers(context, 'corpus')), integers(context, 'context'), {
    maximumSuffix: count(context, 'maximumSuffix'),
    minimumSuffix: count(context, 'minimumSuffix'),
    maximumOccurrences: count(context, 'maximumOccurrences'),
    continuationLength: count(context, 'continuationLength'),
    choices: count(context, 'choices'),
  });
  return {
    suffixLength: found.suffixLength,
    occurrences: found.occurrences,
    prefix: padded(
      found.prefixes.map(({ tokens }) => tokens),
      count(context, 'continuationLength'),
    ),
    count: Int32Array.from(found.prefixes, (prefix) => prefix.count),
  };
});

register('speculative', 'core-verification', 'lookahead-pool', (context) => {
  const level = count(context, 'level');
  const guesses = count(context, 'guessSetSize');
  const pool = new NgramPool({ level, guessSetSize: guesses });
  const state = (keys: string, rows: string): Record<string, unknown> => {
    const data = pool.keys.flatMap((key) => [...padded(withRows(pool.get(key), guesses), level - 1).data]);
    return { [keys]: Int32Array.from(pool.keys), [rows]: { data, shape: [pool.keys.length, guesses, level - 1] } };
  };
  pool.fill(integers(context, 'prompt'));
  const outputs = state('promptKeys', 'promptPool');
  for (let step = 0; step < count(context, 'steps'); step++) {
    const levels = rowsOf(context.tensor(`${step}.levels`));
    const newTokens = integers(context, `${step}.newTokens`);
    pool.insertColumns(one(context, `${step}.lastToken`), integers(context, `${step}.level0`), levels, newTokens);
    Object.assign(outputs, state(`${step}.keys`, `${step}.pool`));
  }
  return outputs;
});

const withRows = (lists: readonly (readonly number[])[], rows: number): (readonly number[])[] =>
  Array.from({ length: rows }, (_, row) => lists[row] ?? []);

register('speculative', 'core-verification', 'lookahead-mask', (context) => {
  const parents = lookaheadParents(count(context, 'level'), count(context, 'window'), count(context, 'guesses'));
  const { allow, depth } = treeBuffers(parents, 0);
  return { allow: matrix(allow, parents.length), relativePositions: depth };
});

const templateOf = (context: CaseContext): ReturnType<typeof treeTemplate> =>
  treeTemplate(rowsOf(context.tensor('template')).map(unpadded));

register('speculative', 'token-recycling', 'template-buffers', (context) => {
  const { parent, rank, depth, levelStarts } = templateOf(context);
  const paths = leafPaths(parent, 'node');
  return {
    ...{ parent, rank, depth, levelStarts },
    allow: matrix(treeBuffers(parent, 0).allow, parent.length),
    paths: padded(paths),
  };
});

const matrixOf = (value: TensorValue): RecyclingMatrix => {
  const [vocabSize, topK] = value.shape;
  const recycling = new RecyclingMatrix({ vocabSize, topK });
  const all = numbers(value);
  for (let token = 0; token < vocabSize; token++) recycling.set(token, all, token * topK);
  return recycling;
};

register('speculative', 'token-recycling', 'propose', (context) => ({
  tokens: recycledTree(templateOf(context), matrixOf(context.tensor('matrix')), one(context, 'rootToken')).tokens,
}));

register('speculative', 'token-recycling', 'update', (context) => {
  const recycling = matrixOf(context.tensor('matrix'));
  const { vocabSize, topK } = recycling;
  const best = rowsOf(context.tensor('logits')).flatMap((row) => bestIndices(row, topK));
  recycle(recycling, integers(context, 'tokens'), Int32Array.from(best), topK);
  const rows = Array.from({ length: vocabSize }, (_, token) => recycling.get(token)!);
  return { matrix: padded(rows, topK) };
});

const tableOf = (context: CaseContext): TrigramTable => {
  const table = new TrigramTable();
  const weights = numbers(context.tensor('weights'));
  rowsOf(context.tensor('rows')).forEach(([a, b, c], i) => {
    table.set(a, b, c, weights[i]);
  });
  return table;
};

const tableOutputs = (table: TrigramTable): Record<string, unknown> => ({
  rows: padded(
    table.entries().map((entry) => entry.slice(0, 3)),
    3,
  ),
  weights: Float32Array.from(table.entries(), ([, , , weight]) => weight),
});

register('speculative', 'aded', 'build-table', (context) =>
  tableOutputs(buildTrigramTable(rowsOf(context.tensor('documents')).map(unpadded), count(context, 'keptSuccessors'))),
);

register('speculative', 'aded', 'bump', (context) => {
  const table = tableOf(context);
  for (let call = 0; call < count(context, 'calls'); call++) table.bump(integers(context, 'tokens'), context.params);
  return tableOutputs(table);
});

register('speculative', 'aded', 'puct', (context) => {
  const [score, visits, parentVisits, prior] = ['score', 'visits', 'parentVisits', 'prior'].map((name) =>
    numbers(context.tensor(name)),
  );
  const value = (i: number): number =>
    puct(
      { score: score[i], visits: visits[i], prior: prior[i] },
      parentVisits[i],
      count(context, 'c1'),
      count(context, 'c2'),
    );
  return { value: Float64Array.from(score, (_, i) => value(i)) };
});

/** Draws in the order of a recording, and how many were used. */
const recorded = (values: readonly number[]): { draw: () => number; used: () => number } => {
  let used = 0;
  return { draw: () => values[used++], used: () => used };
};

register('speculative', 'aded', 'search', (context) => {
  const [a, b] = integers(context, 'root');
  const rollout = recorded(numbers(context.randoms.rollout));
  const { nodes, drafts } = searchTrigrams(tableOf(context), [a, b], rollout.draw, context.params);
  return {
    uniformsUsed: rollout.used(),
    nodeSequences: padded(nodes.map(({ sequence }) => sequence)),
    nodeVisits: Int32Array.from(nodes, ({ visits }) => visits),
    drafts: padded(drafts),
  };
});

register('speculative', 'aded', 'cut', (context) => {
  const paths = rowsOf(context.tensor('paths'));
  const mode = context.params.mode as 'paper';
  return { paths: padded(cutPaths(paths.map(unpadded), count(context, 'choices'), mode), paths[0]?.length) };
});

register('speculative', 'aded', 'draft-tree', (context) => {
  const { tokens, parent } = draftTrie(-1, rowsOf(context.tensor('paths')).map(unpadded));
  const { depth, allow } = treeBuffers(parent, 0);
  return { tokens, parent, depth, allow: matrix(allow, parent.length), paths: padded(leafPaths(parent, 'sorted')) };
});

register('speculative', 'aded', 'propose-stream', (context) => {
  const table = tableOf(context);
  const tokens = integers(context, 'tokens');
  const outputs: Record<string, unknown> = {};
  integers(context, 'positions').forEach((position, step) => {
    const rollout = recorded(numbers(context.randoms[`${step}.rollout`]));
    const text = tokens.subarray(0, position);
    const tree = proposeByTrigrams(text, rollout.draw, { table, ...context.params });
    outputs[`${step}.tokens`] = tree?.tokens ?? text.slice(-1);
    outputs[`${step}.parent`] = tree?.parent ?? [-1];
  });
  return { ...outputs, ...tableOutputs(table) };
});

register('speculative', 'rasd', 'build-trie', (context) => {
  const continuations = rowsOf(context.tensor('continuations')).map(unpadded);
  const { tokens, parent, counts } = buildTrie(-1, continuations, integers(context, 'counts'));
  return { tokens, parent, counts: Int32Array.from(counts) };
});

register('speculative', 'rasd', 'prune', (context) => {
  const trie = {
    tokens: integers(context, 'tokens'),
    parent: integers(context, 'parent'),
    counts: Float64Array.from(numbers(context.tensor('counts'))),
  };
  return { ...pruneTrie(trie, floats(context, 'draftProbabilities'), context.params) };
});

register('speculative', 'rasd', 'fuse', (context) => {
  const draft = treeOf(integers(context, 'draftTokens'), integers(context, 'draftParent'));
  const paths = rowsOf(context.tensor('paths')).map(unpadded);
  const { tokens, parent, retrieved, order } = fusePaths(draft, paths, count(context, 'totalNodes'));
  return { tokens, parent, retrieved: Int32Array.from(retrieved), order, paths: padded(leafPaths(parent, 'sorted')) };
});

register('speculative', 'rasd', 'suffix-automaton', (context) => {
  const automaton = new SuffixAutomaton();
  const matchLengths = integers(context, 'tokens').map((token) => {
    automaton.add(token);
    return automaton.match.length;
  });
  const pending = one(context, 'pendingToken');
  const { endPosition, draft } = automaton.draft(pending, count(context, 'predicted'));
  const pendingMatch = automaton.advance(automaton.match, pending).length;
  return { matchLengths, pendingMatch, endPosition, draft, states: automaton.states };
});

/** Verifiers: trials of chains and trees, and their exhaustive enumeration. */
import { chooseByUniform, softmax, warpLogits } from '@gallop/core';
import {
  type DraftTree,
  enumerateEmissions,
  largestIndex,
  treeDepths,
  type Verdict,
  type VerifierDraws,
  verifyByBlock,
  verifyByRejection,
  verifyByTraversal,
  verifyByWalk,
  verifyGreedy,
  verifyTypical,
  warpInEagleOrder,
} from '@gallop/speculative';
import { type CaseContext, type CaseOutputs, register } from '../registry.ts';
import {
  chainParents,
  integers,
  matrix,
  numbers,
  one,
  padded,
  rowsOf,
  type Trial,
  treeOf,
  trialRows,
  verdictOutputs,
} from './speculative-shared.ts';

const method = 'core-verification';
const pathWidth = (parent: ArrayLike<number>): number => Math.max(...treeDepths(parent)) + 1;

function chainTrials(context: CaseContext, verify: (trial: Trial) => Verdict): CaseOutputs {
  const { randoms } = context;
  const accept = rowsOf(randoms.accept);
  const next = numbers(randoms.next);
  const drafts = rowsOf(context.tensor('draftTokens'));
  const verdicts = drafts.map((tokens, trial) => {
    const target = trialRows(context.tensor('targetProbabilities'), trial);
    const draft = trialRows(context.tensor('draftProbabilities'), trial);
    const draws: VerifierDraws = { accept: (row) => accept[trial][row - 1], next: () => next[trial] };
    const tree = treeOf([0, ...tokens], chainParents(tokens.length + 1), (row) => draft[row]);
    return verify({ tree, target: (row) => target[row], draws });
  });
  return verdictOutputs(verdicts);
}

function treeTrials(context: CaseContext, verify: (trial: Trial) => Verdict): CaseOutputs {
  const { inputs, params, randoms } = context;
  const parent = integers(context, 'parent');
  const verdicts = rowsOf(context.tensor('tokens')).map((tokens, trial) => {
    const target = trialRows(context.tensor('targetProbabilities'), trial);
    const draft = 'draftProbabilities' in inputs ? trialRows(context.tensor('draftProbabilities'), trial) : undefined;
    const tree = treeOf(tokens, parent, draft && ((row) => draft[row]), params.replacement !== false);
    const draws: VerifierDraws = {
      accept: (row) => Number(randoms.accept.data[trial * parent.length + row]),
      next: () => Number(randoms.next.data[trial]),
    };
    return verify({ tree, target: (row) => target[row], draws });
  });
  return verdictOutputs(verdicts, pathWidth(parent));
}

register('speculative', method, 'verify-sampling-chain', (context) =>
  chainTrials(context, ({ tree, target, draws }) => verifyByRejection(tree, target, draws)),
);
register('speculative', method, 'verify-block-chain', (context) =>
  chainTrials(context, ({ tree, target, draws }) => verifyByBlock(tree, target, draws)),
);
register('speculative', method, 'verify-recursive-tree', (context) =>
  treeTrials(context, ({ tree, target, draws }) => verifyByRejection(tree, target, draws)),
);
register('speculative', method, 'verify-traversal-tree', (context) =>
  treeTrials(context, ({ tree, target, draws }) => verifyByTraversal(tree, target, draws)),
);

register('speculative', method, 'verify-deterministic-tree', (context) => {
  if (context.params.mode === 'eliminate') {
    return treeTrials(context, ({ tree, target, draws }) => verifyByRejection(tree, target, draws));
  }
  const uniforms = rowsOf(context.randoms.uniforms);
  const parent = integers(context, 'parent');
  const verdicts = rowsOf(context.tensor('tokens')).map((tokens, trial) => {
    const target = trialRows(context.tensor('targetProbabilities'), trial);
    return verifyByWalk(treeOf(tokens, parent), (row, path) =>
      chooseByUniform(
        target[row].map((value) => Math.log(value)),
        uniforms[trial][path.length - 1],
      ),
    );
  });
  return verdictOutputs(verdicts, pathWidth(parent));
});

register('speculative', method, 'verify-greedy-chain', (context) => {
  const verdicts = rowsOf(context.tensor('draftTokens')).map((tokens, trial) =>
    verifyGreedy(
      treeOf([0, ...tokens], chainParents(tokens.length + 1)),
      trialRows(context.tensor('logits'), trial).map(largestIndex),
    ),
  );
  return verdictOutputs(verdicts);
});

register('speculative', method, 'verify-greedy-tree', (context) => {
  const parent = integers(context, 'parent');
  const verdicts = rowsOf(context.tensor('tokens')).map((tokens, trial) =>
    verifyGreedy(treeOf(tokens, parent), trialRows(context.tensor('logits'), trial).map(largestIndex)),
  );
  return verdictOutputs(verdicts, pathWidth(parent));
});

register('speculative', method, 'verify-typical-tree', (context) => {
  const { temperature, posteriorThreshold, posteriorAlpha } = context.params as Record<string, number>;
  const parent = integers(context, 'parent');
  const verdicts = rowsOf(context.tensor('tokens')).map((tokens, trial) => {
    const logits = trialRows(context.tensor('logits'), trial);
    const options = { temperature, posteriorThreshold, posteriorAlpha };
    return verifyTypical(treeOf(tokens, parent), (row) => logits[row], options);
  });
  const rows = parent.length;
  return {
    ...verdictOutputs(verdicts, pathWidth(parent)),
    entropy: matrix(Float64Array.from(verdicts.flatMap(({ entropy }) => [...entropy])), rows),
    threshold: matrix(Float64Array.from(verdicts.flatMap(({ threshold }) => [...threshold])), rows),
  };
});

const rules: Readonly<Record<string, (tree: DraftTree, trial: Omit<Trial, 'tree'>) => Verdict>> = {
  token: (tree, { target, draws }) => verifyByRejection(tree, target, draws),
  block: (tree, { target, draws }) => verifyByBlock(tree, target, draws),
  recursive: (tree, { target, draws }) => verifyByRejection(tree, target, draws),
  traversal: (tree, { target, draws }) => verifyByTraversal(tree, target, draws),
  eliminate: (tree, { target, draws }) => verifyByRejection(tree, target, draws),
};

function enumerate(context: CaseContext): CaseOutputs {
  const { params, randoms } = context;
  const parent = integers(context, 'parent');
  const targetTable = rowsOf(context.tensor('targetTable')).map((row) => Float64Array.from(row));
  const draftTable =
    params.deterministic === true
      ? undefined
      : rowsOf(context.tensor('draftTable')).map((row) => Float64Array.from(row));
  const weight = numbers(context.tensor('weight'));
  const accept = rowsOf(randoms.accept);
  const next = numbers(randoms.next);
  const rows = rowsOf(context.tensor('tokens'));
  const verdicts = rows.map((tokens, cell) => {
    const draft = draftTable && ((row: number) => draftTable[tokens[row]]);
    return rules[params.rule as string](treeOf(tokens, parent, draft, params.replacement === true), {
      target: (row) => targetTable[tokens[row]],
      draws: { accept: (row) => accept[cell][row], next: () => next[cell] },
    });
  });
  const emissions = verdicts.map(({ path, next: token }, cell) => ({
    emitted: [...path.subarray(1)].map((row) => rows[cell][row]).concat(token),
    weight: weight[cell],
  }));
  const length = params.sequenceLength as number;
  const sums = enumerateEmissions(emissions, targetTable, one(context, 'rootToken'), length);
  const { acceptedLength, nextToken, path } = verdictOutputs(verdicts, pathWidth(parent));
  return {
    ...{ acceptedLength, nextToken, path },
    emittedSequence: padded(sums.sequences),
    emittedProbability: sums.probability,
    completedDistribution: sums.completed,
    targetDistribution: sums.target,
    expectedTokens: sums.expectedTokens,
  };
}

register('speculative', method, 'enumerate-chain', enumerate);
register('speculative', method, 'enumerate-tree', enumerate);

register('speculative', method, 'warp', (context) => {
  const histories = rowsOf(context.tensor('contextTokens'));
  const options = Object.fromEntries(
    ['temperature', 'topK', 'topP', 'repetitionPenalty']
      .filter((name) => typeof context.params[name] === 'number')
      .map((name) => [name, context.params[name]]),
  );
  const rows = rowsOf(context.tensor('logits')).map((row, i) => {
    const logits = Float32Array.from(row);
    if (context.params.order === 'eagle') warpInEagleOrder(logits, histories[i], options);
    else warpLogits(logits, histories[i], options);
    return softmax(logits);
  });
  return { probabilities: matrix(Float64Array.from(rows.flatMap((row) => [...row])), rows[0].length) };
});

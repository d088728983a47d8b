/** Trees: buffers, static and dynamic shapes, sizes, commits and ends. */

import { softmax } from '@gallop/core';
import {
  candidateIndices,
  chooseDraftSize,
  chooseSequoiaSize,
  compactRows,
  cutSteps,
  growDynamicTree,
  keptRows,
  leafPaths,
  sequoiaTable,
  sequoiaTree,
  treeBuffers,
  treeTemplate,
} from '@gallop/speculative';
import { register } from '../registry.ts';
import { floats, integers, matrix, one, padded, rowsOf, unpadded } from './speculative-shared.ts';

const method = 'core-verification';

register('speculative', method, 'tree-buffers', (context) => {
  const parent = integers(context, 'parent');
  const { depth, allow, mask, positions } = treeBuffers(parent, context.params.contextLength as number);
  return {
    depth,
    allow: matrix(allow, parent.length),
    mask: matrix(mask, mask.length / parent.length),
    positions,
    paths: padded(leafPaths(parent, 'sorted')),
  };
});

register('speculative', method, 'tree-static', (context) => {
  const template = treeTemplate(rowsOf(context.tensor('choices')).map(unpadded));
  const isMedusa = context.params.mode === 'medusa';
  const { parent } = template;
  return {
    sortedChoices: padded(template.paths),
    parent,
    positions: template.depth,
    allow: matrix(treeBuffers(parent, 0).allow, parent.length),
    treeIndices: candidateIndices(template, context.params.topK as number, isMedusa ? 'depth' : 'parent'),
    retrieveIndices: padded(leafPaths(parent, isMedusa ? 'node-descending' : 'sorted')),
  };
});

register('speculative', method, 'tree-eagle2', async (context) => {
  const table = rowsOf(context.tensor('draftLogits')).map((row) => softmax(Float32Array.from(row)).map(Math.log));
  const { topK, depth, totalTokens } = context.params as Record<string, number>;
  const tree = await growDynamicTree(
    one(context, 'rootToken'),
    { topK, depth, totalNodes: totalTokens },
    ({ tokens }) => tokens.map((token) => table[token]),
  );
  const { allow, positions } = treeBuffers(tree.parent, 0);
  return {
    tokens: tree.tokens,
    parent: tree.parent,
    scores: tree.scores,
    positions,
    allow: matrix(allow, tree.parent.length),
    retrieveIndices: padded(leafPaths(tree.parent, 'node')),
    retrieveIndicesSampling: padded(leafPaths(tree.parent, 'sorted')),
  };
});

register('speculative', method, 'sequoia-tree', (context) => {
  const { maxBudget, maxDepth, draftTime } = context.params as Record<string, number>;
  const table = sequoiaTable(floats(context, 'acceptance'), maxBudget, maxDepth);
  const times = context.params.targetTime as number[];
  const choice = chooseSequoiaSize(table, context.params.validBudget as number[], times, draftTime);
  const { parent, branches } = sequoiaTree(table, choice);
  const { depth, allow } = treeBuffers(parent, 0);
  return {
    expectedTokens: matrix(table.expectedTokens, maxDepth),
    budget: choice.budget,
    depthLimit: choice.levels,
    parent,
    branches,
    depth,
    allow: matrix(Int32Array.from(allow), parent.length),
  };
});

register('speculative', method, 'compact', (context) => {
  const { contextLength } = context.params as Record<string, number>;
  const path = integers(context, 'path');
  const cache = context.tensor('cache');
  const [layers, rows, width] = cache.shape;
  const kept = keptRows(contextLength, path);
  const data: number[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const all = floats(context, 'cache').slice(layer * rows * width, (layer + 1) * rows * width);
    const length = compactRows(all, width, contextLength, path);
    data.push(...all.subarray(0, length * width));
  }
  return { cache: { data, shape: [layers, kept.length, width] }, keepRows: kept, length: kept.length };
});

register('speculative', method, 'draft-size', (context) => {
  const { candidates, divisors } = context.params as Record<string, number[]>;
  return { ...chooseDraftSize(candidates, floats(context, 'times'), divisors) };
});

register('speculative', method, 'stop-scan', (context) => {
  const { tokens, acceptLengths } = cutSteps(
    integers(context, 'emitted'),
    integers(context, 'stepLengths'),
    new Set(context.params.stopTokens as number[]),
    context.params.maxNewTokens as number,
  );
  return { tokens: Int32Array.from(tokens), acceptLengths: Int32Array.from(acceptLengths) };
});

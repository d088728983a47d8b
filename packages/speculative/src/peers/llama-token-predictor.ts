/**
 * A drafter as a token predictor of node-llama-cpp, for its chat sessions and completions: its own loop then checks the drafts.
 * It hears of accepted tokens only, so drafters that learn from rejected rows (Token Recycling, `autoDrafter`) learn little
 * here; lookup, suffix, retrieval and ADED lose nothing.
 */

import { requireArgument } from '@gallop/core';
import type { Drafter } from '../loop/drafter.ts';
import { keyedRandom } from '../loop/random-source.ts';
import { type DraftTree, treeDepths } from '../tree/draft-tree.ts';

/** What node-llama-cpp calls on a predictor. */
export interface TokenPredictorMethods<Token extends number> {
  reset(params: { readonly stateTokens: readonly Token[] }): void;
  pushTokens(tokens: readonly Token[]): void;
  predictTokens(): Promise<Token[]>;
  stop(): void;
  updateInputTokens(tokens: readonly Token[]): void;
  dispose(): void;
}

/**
 * A predictor for a sequence: `context.getSequence({ tokenPredictor: llamaTokenPredictor(TokenPredictor, drafter) })`.
 *
 * @param Base node-llama-cpp's `TokenPredictor`, whose subclass the result is
 * @param budget most tokens predicted at once. Default 4
 */
export const llamaTokenPredictor = <Base extends object, Token extends number = number>(
  Base: abstract new () => Base,
  drafter: Drafter,
  budget: number = 4,
): Base & TokenPredictorMethods<Token> => {
  requireArgument(Number.isSafeInteger(budget) && budget >= 1, () => {
    return `Expected a budget from 1; received ${budget}; correct it.`;
  });
  const random = keyedRandom({});
  let text: number[] = [];
  const methods: TokenPredictorMethods<Token> = {
    reset: ({ stateTokens }) => {
      text = [...stateTokens];
      drafter.reset?.('request');
    },
    pushTokens: (tokens) => {
      for (const token of tokens) text.push(token);
    },
    predictTokens: async () => {
      if (text.length === 0) return [];
      const position = text.length;
      const tree = await drafter.propose({
        ...{ tokens: Int32Array.from(text), budget, temperature: 0 },
        uniform: (index) => random.draft(position - 1, index),
        targetUniform: (depth) => random.next(position + depth),
      });
      return tree === undefined ? [] : (likeliestChain(tree) as Token[]);
    },
    stop: () => undefined,
    updateInputTokens: () => undefined,
    dispose: () => drafter.dispose?.(),
  };
  abstract class Subclass extends (Base as abstract new () => object) {}
  const Concrete = Subclass as unknown as new () => Base;
  return Object.assign(new Concrete(), methods);
};

/** The path to the likeliest leaf: by confidence where the tree has it, else the deepest first one. */
const likeliestChain = ({ tokens, parent, confidence, auxiliary }: DraftTree): number[] => {
  const depth = treeDepths(parent);
  let best = 0;
  for (let row = 1; row < tokens.length; row++) {
    if (auxiliary?.[row] === 1) continue;
    const isChildOfBest = parent[row] === best;
    const isBetter = confidence ? confidence[row] > confidence[best] * 0.999 : depth[row] > depth[best];
    if (best === 0 || isChildOfBest || isBetter) best = row;
  }
  const path: number[] = [];
  for (let row = best; row > 0; row = parent[row]) path.unshift(tokens[row]);
  return path;
};

/**
 * Drafts by a smaller model of the same vocabulary (Leviathan et al. 2211.17192; EAGLE-2's dynamic tree for the tree form).
 *
 * - `greedy`: its best tokens; deterministic drafts.
 * - `coupled`: its own choice under the very draw that will decide the target's token there. Where both agree on the
 *   distribution they agree on the token; verified by walking, the text stays that of plain sampling with the same seed.
 * - `sampled`: drawn from its distribution, for the rejection verifiers.
 */

import {
  chooseByUniform,
  type LanguageModel,
  requireArgument,
  softmax,
  type WarpOptions,
  warpLogits,
} from '@gallop/core';
import type { DraftContext } from '../loop/drafter.ts';
import type { DraftTree, SampledGroup } from '../tree/draft-tree.ts';
import { chainTree } from '../tree/draft-tree.ts';
import { type DynamicTreeOptions, type Frontier, growDynamicTree } from '../tree/dynamic-tree.ts';
import { chooseFromProbabilities, largestIndex } from '../verify/distribution.ts';
import { DraftText } from './draft-text.ts';
import type { DistributionDrafter } from './rasd.ts';
import type { StopPolicy } from './stop-policy.ts';

export interface DraftModelOptions {
  readonly model: LanguageModel;
  /** Tokens of a chain at most. Default 4. */
  readonly maximum?: number;
  /** Default `greedy` at temperature 0, else `coupled`. */
  readonly drafting?: 'greedy' | 'coupled' | 'sampled';
  /** Ends a chain early. */
  readonly stop?: StopPolicy;
  /** Draft a tree instead of a chain; deterministic. */
  readonly tree?: Pick<DynamicTreeOptions, 'topK' | 'depth'>;
  /** Warps the draft model's distribution. Default: the temperature of the generation. */
  readonly warp?: WarpOptions;
  /** Tokens that end a chain. Default: the draft model's. */
  readonly endTokens?: ReadonlySet<number>;
  /**
   * Rows that the draft model forgets after a step: what the target rejected (`minimal`), or always at least the last two
   * tokens' (`published`, as SpecDec++'s code does). Default `minimal`.
   */
  readonly crop?: 'minimal' | 'published';
}

export interface DraftModelDrafter extends DistributionDrafter {
  /** Rows fed to the draft model so far. */
  readonly rowsFed: number;
}

/**
 * A drafter by model. The model stays the caller's; `dispose()` frees the drafter's state only.
 *
 * @throws GallopError `invalid-argument` for a maximum that is no count
 */
export const draftModelDrafter = (options: DraftModelOptions): DraftModelDrafter => {
  const { maximum = 4 } = options;
  requireArgument(Number.isSafeInteger(maximum) && maximum >= 1, () => {
    return `Expected maximum to be a whole number from 1; received ${maximum}; correct it.`;
  });
  return new ModelDrafter(options);
};

class ModelDrafter implements DraftModelDrafter {
  readonly name = 'draft-model';
  readonly #options: DraftModelOptions;
  readonly #text: DraftText;
  #distribution: Float64Array | undefined;

  constructor(options: DraftModelOptions) {
    this.#options = options;
    this.#text = new DraftText(options.model);
  }

  get rowsFed(): number {
    return this.#text.fed;
  }

  rootDistribution(): Float64Array | undefined {
    return this.#distribution;
  }

  async propose(context: DraftContext): Promise<DraftTree | undefined> {
    const { tokens, budget } = context;
    this.#distribution = undefined;
    const kept = tokens.length - (this.#options.crop === 'published' && this.#text.length > 0 ? 2 : 1);
    this.#text.follow(tokens, Math.max(0, kept));
    if (budget < 1 || tokens.length + 1 > this.#options.model.contextLength) return undefined;
    return this.#options.tree ? this.#tree(context, this.#options.tree) : this.#chain(context);
  }

  reset(): void {
    this.#text.reset();
  }

  bytes(): number {
    return this.#text.bytes();
  }

  dispose(): void {
    this.#text.dispose();
  }

  async #chain(context: DraftContext): Promise<DraftTree> {
    const { model, maximum = 4, stop, endTokens = model.tokens.endOfGeneration } = this.#options;
    const room = Math.min(maximum, context.budget, model.contextLength - context.tokens.length);
    const drafted: number[] = [];
    const sampled = new Map<number, SampledGroup>();
    const hiddenLayers = stop?.needsHidden ? [model.layerCount] : undefined;
    stop?.begin();
    let fed = context.tokens.slice(this.#text.length);
    for (;;) {
      const want = { logits: 'last', ...(hiddenLayers && { hidden: hiddenLayers }) } as const;
      const { logits, hidden } = await this.#text.append(fed, want, context.signal);
      const row = logits!.slice();
      this.#distribution ??= softmax(row);
      const { token, probability, group } = this.#choose(row, context, drafted);
      if (group) sampled.set(drafted.length, group);
      drafted.push(token);
      if (drafted.length >= room || endTokens.has(token)) break;
      const state = hidden?.get(model.layerCount)?.slice(-model.hiddenSize);
      if (stop?.after({ index: drafted.length, token, probability, ...(state && { hidden: state }) })) break;
      fed = Int32Array.of(token);
    }
    const chain = chainTree(context.tokens[context.tokens.length - 1], drafted);
    return sampled.size > 0 ? { ...chain, sampled } : chain;
  }

  #choose(
    row: Float32Array,
    context: DraftContext,
    drafted: readonly number[],
  ): { readonly token: number; readonly probability: number; readonly group?: SampledGroup } {
    const plain = softmax(row);
    const { temperature } = context;
    const { drafting = temperature === 0 ? 'greedy' : 'coupled', warp = { temperature } } = this.#options;
    const done = (token: number): { token: number; probability: number } => ({ token, probability: plain[token] });
    if (drafting === 'greedy' || temperature === 0) return done(largestIndex(row));
    warpLogits(row, [...context.tokens, ...drafted], warp);
    if (drafting === 'coupled') return done(chooseByUniform(row, context.targetUniform(drafted.length)));
    const probabilities = softmax(row);
    const token = chooseFromProbabilities(probabilities, context.uniform(drafted.length));
    return { ...done(token), group: { probabilities, replacement: true, count: 1 } };
  }

  /** The root goes in as text; each level is computed with the levels above it, for a state cannot keep a tree. */
  async #tree(context: DraftContext, { topK, depth }: Pick<DynamicTreeOptions, 'topK' | 'depth'>): Promise<DraftTree> {
    const rowOf = new Map<number, number>();
    const ids: number[] = [];
    const parents: number[] = [];
    const expand = async (frontier: Frontier): Promise<Float64Array[]> => {
      const { vocabSize } = this.#options.model;
      if (frontier.candidates[0] === -1) {
        const { logits } = await this.#text.append(
          context.tokens.slice(this.#text.length),
          { logits: 'last' },
          context.signal,
        );
        this.#distribution = softmax(logits!);
        return [this.#distribution.map(Math.log)];
      }
      const first = ids.length;
      frontier.candidates.forEach((candidate, i) => {
        rowOf.set(candidate, ids.push(frontier.tokens[i]) - 1);
        parents.push(frontier.parents[i] < 0 ? -1 : rowOf.get(frontier.parents[i])!);
      });
      const wanted = Int32Array.from(frontier.candidates, (_, i) => first + i);
      const { logits } = await this.#text.look(
        Int32Array.from(ids),
        Int32Array.from(parents),
        { logits: wanted },
        context.signal,
      );
      return frontier.candidates.map((_, i) =>
        softmax(logits!.subarray(i * vocabSize, (i + 1) * vocabSize)).map(Math.log),
      );
    };
    const root = context.tokens[context.tokens.length - 1];
    const levels = Math.min(depth, this.#options.model.contextLength - context.tokens.length - 1);
    const { tokens, parent, confidence } = await growDynamicTree(
      root,
      { topK, depth: Math.max(0, levels), totalNodes: context.budget },
      expand,
    );
    return { tokens, parent, ...(confidence && { confidence }) };
  }
}

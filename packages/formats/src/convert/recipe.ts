/**
 * Which type each tensor of a quantised model gets. A recipe names the majority; the output head, some value and
 * down-projection weights keep more bits, norms and biases stay float32, and rows that a format's blocks do not divide
 * fall back to a neighbouring format. The mixtures are those of llama.cpp (without importance matrix).
 */
import { GallopError } from '@gallop/core';
import { type GgmlTypeName, ggmlType } from '../gguf/ggml-types.ts';

/** The name of a mixture, as in file names. */
export type GgufRecipe =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K_M'
  | 'Q4_K_S'
  | 'Q4_K_M'
  | 'Q5_K_M'
  | 'Q6_K'
  | 'IQ4_NL'
  | 'IQ4_XS';

interface Recipe {
  readonly base: GgmlTypeName;
  /** The number of `general.file_type`. */
  readonly fileType: number;
  /** Type of value projections by layer, where it differs. */
  readonly attentionValue?: Choose;
  readonly feedForwardDown?: Choose;
  readonly attentionOutput?: Choose;
}

type Choose = (layer: number, layers: number, model: ModelFacts) => GgmlTypeName | undefined;

/** What a recipe must know of a model. */
export interface ModelFacts {
  readonly layers: number;
  /** Query heads per key/value head. */
  readonly headsPerKeyValueHead: number;
  /** Whether the output head is the token embedding. */
  readonly tiedHead: boolean;
}

/** Layers whose errors hurt most: the first and last eighth, and every third between. */
const important = (layer: number, layers: number): boolean => {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
};
const moreBits: Choose = (layer, layers) => (important(layer, layers) ? 'Q6_K' : undefined);

const recipes: Readonly<Record<GgufRecipe, Recipe>> = {
  F32: { base: 'F32', fileType: 0 },
  F16: { base: 'F16', fileType: 1 },
  BF16: { base: 'BF16', fileType: 32 },
  Q4_0: { base: 'Q4_0', fileType: 2 },
  Q4_1: { base: 'Q4_1', fileType: 3 },
  Q5_0: { base: 'Q5_0', fileType: 8 },
  Q5_1: { base: 'Q5_1', fileType: 9 },
  Q8_0: { base: 'Q8_0', fileType: 7 },
  Q2_K: {
    base: 'Q2_K',
    fileType: 10,
    attentionValue: (_layer, _layers, model) => (model.headsPerKeyValueHead >= 4 ? 'Q4_K' : 'Q3_K'),
    feedForwardDown: () => 'Q3_K',
    attentionOutput: () => 'Q3_K',
  },
  Q3_K_M: {
    base: 'Q3_K',
    fileType: 12,
    attentionValue: (layer) => (layer < 2 ? 'Q5_K' : 'Q4_K'),
    feedForwardDown: (layer, layers) => (layer < Math.floor(layers / 16) ? 'Q5_K' : 'Q4_K'),
    attentionOutput: () => 'Q4_K',
  },
  Q4_K_S: {
    base: 'Q4_K',
    fileType: 14,
    attentionValue: (layer) => (layer < 4 ? 'Q5_K' : undefined),
    feedForwardDown: (layer, layers) => (layer < Math.floor(layers / 8) ? 'Q5_K' : undefined),
  },
  Q4_K_M: { base: 'Q4_K', fileType: 15, attentionValue: moreBits, feedForwardDown: moreBits },
  Q5_K_M: { base: 'Q5_K', fileType: 17, attentionValue: moreBits, feedForwardDown: moreBits },
  Q6_K: { base: 'Q6_K', fileType: 18 },
  IQ4_NL: { base: 'IQ4_NL', fileType: 25 },
  IQ4_XS: { base: 'IQ4_XS', fileType: 30 },
};

/** All recipes. */
export const ggufRecipes: readonly GgufRecipe[] = Object.keys(recipes) as GgufRecipe[];

/** The recipe of this name. @throws GallopError `unsupported` for another string. */
export function ggufRecipe(name: string): GgufRecipe {
  if (Object.hasOwn(recipes, name)) return name as GgufRecipe;
  throw new GallopError('unsupported', `Expected one of ${ggufRecipes.join(', ')}; received ${name}.`);
}

/** The number that stands for a recipe in `general.file_type`. */
export function fileTypeOf(recipe: GgufRecipe): number {
  return recipes[recipe].fileType;
}

/** Where a row is not a multiple of 256 (or then of 32). */
const fallbacks: Partial<Record<GgmlTypeName, GgmlTypeName>> = {
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
  IQ4_XS: 'IQ4_NL',
};

/** Small tensors that every architecture keeps in full precision, besides vectors. */
const keptWhole = /(^|\.)(ffn_gate_inp|ssm_conv1d|position_embd|token_types)(_shexp)?\.weight$/;

/** The type that a recipe gives to a tensor; `dimensions` fastest first. */
export function typeFor(
  recipe: GgufRecipe,
  name: string,
  dimensions: readonly number[],
  model: ModelFacts,
): GgmlTypeName {
  if (dimensions.filter((size) => size > 1).length < 2 || !name.endsWith('weight') || keptWhole.test(name))
    return 'F32';
  let type = wanted(recipes[recipe], name, model);
  while (dimensions[0] % ggmlType(type).blockElements !== 0) type = fallbacks[type] ?? 'F16';
  return type;
}

function wanted(recipe: Recipe, name: string, model: ModelFacts): GgmlTypeName {
  const isHead = name === 'output.weight' || (model.tiedHead && name === 'token_embd.weight');
  if (ggmlType(recipe.base).blockElements === 1 || recipe.base === 'Q8_0') return recipe.base;
  if (isHead) return 'Q6_K';
  const match = /^blk\.(\d+)\.(attn_v|attn_qkv|ffn_down|ffn_down_exps|attn_output)\.weight$/.exec(name);
  if (match === null) return recipe.base;
  const choose = match[2].startsWith('attn_output')
    ? recipe.attentionOutput
    : match[2].startsWith('ffn')
      ? recipe.feedForwardDown
      : recipe.attentionValue;
  return choose?.(Number(match[1]), model.layers, model) ?? recipe.base;
}

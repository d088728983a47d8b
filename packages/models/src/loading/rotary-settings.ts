/**
 * Rotary parameters as files spell them: config.json in the new style (`rope_parameters`, one object or one per layer
 * type) and the old (`rope_theta`, `rope_scaling`), and GGUF's `rope.*` keys with factors in tensors of their own.
 */
import { GallopError } from '@gallop/core';
import type { JsonView } from '@gallop/formats';
import type { Rotary } from '../config.ts';
import { type RotaryParameters, type RotaryType, rotaryFrequencies, rotaryTypes } from '../runtime/rotary.ts';
import type { NamedWeights } from './named-weights.ts';
import type { Settings } from './settings.ts';

/** What the reader knows already. */
export interface RotaryFacts {
  readonly headSize: number;
  readonly maxPositions: number;
  /** Default 10 000. */
  readonly base?: number;
  /** Share of a head that config.json means where it does not say. Default 1. */
  readonly partialFactor?: number;
  /** Which object of `rope_parameters` holds this layer type's parameters, where there are several. */
  readonly layerType?: string;
}

/** @throws GallopError `unsupported` for another type of scaling, `invalid-file` */
export function readRotary(settings: Settings, facts: RotaryFacts): RotaryParameters {
  return settings.metadata ? ggufRotary(settings, facts) : readJsonRotary(settings.json, facts);
}

/** Names that files use for types. */
const spellings: Readonly<Record<string, RotaryType>> = { none: 'default', su: 'longrope' };

function typeNamed(name: string): RotaryType {
  const type = spellings[name] ?? name;
  const known = rotaryTypes.find((candidate) => candidate === type);
  if (known) return known;
  throw new GallopError(
    'unsupported',
    `expected rotary scaling of type ${rotaryTypes.join(', ')}; the file says "${name}"; see docs/adding-a-model.md`,
  );
}

function rotaryObject(json: JsonView, layerType: string | undefined): JsonView {
  const parameters = json.view('rope_parameters');
  if (layerType !== undefined && parameters.get(layerType) !== undefined) return parameters.view(layerType);
  return parameters.get('rope_type') === undefined && parameters.get('rope_theta') === undefined
    ? json.view('rope_scaling')
    : parameters;
}

/** The rotary parameters of a config.json. @throws as `readRotary` */
export function readJsonRotary(json: JsonView, facts: RotaryFacts): RotaryParameters {
  const { headSize, maxPositions, base = 10_000, partialFactor = 1, layerType } = facts;
  const rope = rotaryObject(json, layerType);
  const number = (key: string): number | undefined => (rope.get(key) === undefined ? undefined : rope.number(key));
  const original =
    number('original_max_position_embeddings') ??
    (json.get('original_max_position_embeddings') === undefined
      ? undefined
      : json.number('original_max_position_embeddings'));
  const factors = (key: string): number[] | undefined =>
    rope.get(key) === undefined ? undefined : rope.list(key).map(Number);
  const partial =
    number('partial_rotary_factor') ?? json.number('partial_rotary_factor', json.number('rotary_pct', partialFactor));
  return withoutUndefined({
    type: typeNamed(rope.string('rope_type', rope.string('type', 'default'))),
    base: number('rope_theta') ?? json.number('rope_theta', json.number('rotary_emb_base', base)),
    headSize,
    maxPositions,
    partialFactor: partial,
    originalPositions: original,
    factor: number('factor'),
    attentionFactor: number('attention_factor'),
    lowFrequencyFactor: number('low_freq_factor'),
    highFrequencyFactor: number('high_freq_factor'),
    betaFast: number('beta_fast'),
    betaSlow: number('beta_slow'),
    mscale: number('mscale'),
    mscaleAllDimensions: number('mscale_all_dim'),
    truncate: rope.get('truncate') === undefined ? undefined : rope.boolean('truncate'),
    shortFactors: factors('short_factor'),
    longFactors: factors('long_factor'),
  });
}

function ggufRotary(settings: Settings, { headSize, maxPositions, base = 10_000 }: RotaryFacts): RotaryParameters {
  const { metadata, architecture } = settings;
  const key = (name: string): string => `${architecture}.rope.${name}`;
  const number = (name: string): number | undefined =>
    metadata!.has(key(name)) ? metadata!.number(key(name)) : undefined;
  const dimensions = number('dimension_count') ?? headSize;
  return withoutUndefined({
    type: typeNamed(metadata!.string(key('scaling.type'), 'none')),
    base: number('freq_base') ?? base,
    headSize,
    maxPositions,
    partialFactor: dimensions / headSize,
    originalPositions: number('scaling.original_context_length'),
    factor: number('scaling.factor'),
    attentionFactor: number('scaling.attn_factor'),
    betaFast: number('scaling.yarn_beta_fast'),
    betaSlow: number('scaling.yarn_beta_slow'),
  });
}

type Optional<Whole> = { [Key in keyof Whole]: Whole[Key] | undefined };

function withoutUndefined(value: Optional<RotaryParameters>): RotaryParameters {
  return Object.fromEntries(
    Object.entries(value).filter(([, entry]) => entry !== undefined),
  ) as unknown as RotaryParameters;
}

/** Names of GGUF's factor tensors, for an architecture's table. */
export const rotaryTensorNames = {
  rotaryDivisors: ['', 'rope_freqs.weight'],
  rotaryShortFactors: ['', 'rope_factors_short.weight'],
  rotaryLongFactors: ['', 'rope_factors_long.weight'],
} as const;

/** Frequencies for sessions of `contextLength` rows, with GGUF's factor tensors where the file has them. */
export async function loadRotary(
  weights: NamedWeights,
  parameters: RotaryParameters,
  pairing: Rotary['pairing'],
  contextLength: number,
): Promise<Rotary> {
  const half = Math.floor((parameters.headSize * (parameters.partialFactor ?? 1)) / 2);
  const factors = async (part: keyof typeof rotaryTensorNames): Promise<Float32Array | undefined> =>
    weights.has(part) ? weights.values(part, [half]) : undefined;
  const divisors = await factors('rotaryDivisors');
  const shortFactors = await factors('rotaryShortFactors');
  const longFactors = await factors('rotaryLongFactors');
  const complete = {
    ...parameters,
    ...(divisors && { divisors }),
    ...(shortFactors && longFactors && { type: 'longrope' as const, shortFactors, longFactors }),
  };
  return { ...rotaryFrequencies(complete, contextLength), pairing };
}

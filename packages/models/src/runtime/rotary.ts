/**
 * Rotary position embedding (Su et al., 2021) and the ways to stretch it: frequencies are computed once when a model is
 * loaded, the cosines and sines of each row's angles on the host.
 *
 *   default       f_i = base^(−2i/d),  i < d/2
 *   linear        f / factor
 *   dynamic       base · (factor · L / max − (factor − 1))^(d/(d−2)) as base, L = max(sequence length, max)
 *   llama3        by wavelength: short ones as they are, long ones f / factor, a blend between
 *   yarn          by turns within the original length: fast ones as they are, slow ones f / factor, a ramp between
 *   longrope      f / per-frequency factor, one list for short and one for long sequences
 *   proportional  partial rotation over whole heads: base^(−2i/head size) / factor, the remaining ones zero
 */
import { GallopError } from '@gallop/core';

export const rotaryTypes = ['default', 'linear', 'dynamic', 'llama3', 'yarn', 'longrope', 'proportional'] as const;
export type RotaryType = (typeof rotaryTypes)[number];

/** What a configuration says about rotation; see the formulas above. */
export interface RotaryParameters {
  readonly type: RotaryType;
  /** Base of the geometric series. */
  readonly base: number;
  readonly headSize: number;
  /** Share of a head that is rotated. Default 1. */
  readonly partialFactor?: number;
  /** Positions the model declares. */
  readonly maxPositions: number;
  /** Positions it was first trained for. Default `maxPositions`. */
  readonly originalPositions?: number;
  /** Default 1. */
  readonly factor?: number;
  /** Multiplies cosines and sines; by default yarn and longrope derive it. */
  readonly attentionFactor?: number;
  readonly lowFrequencyFactor?: number;
  readonly highFrequencyFactor?: number;
  /** Turns at which yarn's ramp begins and ends. Default 32 and 1. */
  readonly betaFast?: number;
  readonly betaSlow?: number;
  readonly mscale?: number;
  readonly mscaleAllDimensions?: number;
  /** Whether yarn rounds the ends of its ramp. Default true. */
  readonly truncate?: boolean;
  readonly shortFactors?: ArrayLike<number>;
  readonly longFactors?: ArrayLike<number>;
  /** Each frequency is divided by its factor (GGUF's `rope_freqs`). */
  readonly divisors?: ArrayLike<number>;
}

const round = Math.fround;

function powers(base: number, dimensions: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => round(1 / round(round(base) ** round((2 * i) / dimensions))));
}

/**
 * @param sequenceLength positions that the frequencies are for: `dynamic` and `longrope` depend on it
 * @throws GallopError `invalid-file` for parameters that do not fit together
 */
export function rotaryFrequencies(
  parameters: RotaryParameters,
  sequenceLength: number = parameters.maxPositions,
): { frequencies: Float32Array; scale: number } {
  checkParameters(parameters);
  const { type, base, headSize, partialFactor = 1, factor = 1, maxPositions, divisors } = parameters;
  const dimensions = Math.floor(headSize * partialFactor);
  const half = Math.floor(dimensions / 2);
  const plain = powers(base, dimensions, half);
  const stretched: Record<RotaryType, () => Float64Array> = {
    default: () => plain,
    linear: () => plain.map((frequency) => frequency / factor),
    dynamic: () => {
      const ratio = (factor * Math.max(sequenceLength, maxPositions)) / maxPositions - (factor - 1);
      return powers(base * ratio ** (dimensions / (dimensions - 2)), dimensions, half);
    },
    llama3: () => plain.map((frequency) => llama3Frequency(frequency, parameters)),
    yarn: () => yarnFrequencies(plain, dimensions, parameters),
    longrope: () => longropeFrequencies(plain, sequenceLength, parameters),
    proportional: () => {
      const rotated = Math.floor((partialFactor * headSize) / 2);
      const all = new Float64Array(headSize / 2);
      all.set(powers(base, headSize, rotated).map((frequency) => frequency / factor));
      return all;
    },
  };
  const frequencies = Float32Array.from(stretched[type](), (frequency, i) => frequency / (divisors?.[i] ?? 1));
  return { frequencies, scale: round(attentionScale(parameters)) };
}

function llama3Frequency(frequency: number, parameters: RotaryParameters): number {
  const { factor = 1, lowFrequencyFactor = 1, highFrequencyFactor = 4 } = parameters;
  const turns = (originalPositions(parameters) * frequency) / (2 * Math.PI);
  if (turns > highFrequencyFactor) return frequency;
  if (turns < lowFrequencyFactor) return frequency / factor;
  const smooth = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

function yarnFrequencies(plain: Float64Array, dimensions: number, parameters: RotaryParameters): Float64Array {
  const { base, factor = 1, betaFast = 32, betaSlow = 1, truncate = true } = parameters;
  const original = originalPositions(parameters);
  const place = (turns: number): number =>
    (dimensions * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const ends = [place(betaFast), place(betaSlow)];
  const low = Math.max(truncate ? Math.floor(ends[0]!) : ends[0]!, 0);
  let high = Math.min(truncate ? Math.ceil(ends[1]!) : ends[1]!, dimensions - 1);
  if (low === high) high += 0.001;
  return plain.map((frequency, i) => {
    const ramp = Math.min(Math.max((i - low) / (high - low), 0), 1);
    return frequency * (1 - ramp) + (frequency / factor) * ramp;
  });
}

function longropeFrequencies(plain: Float64Array, sequenceLength: number, parameters: RotaryParameters): Float64Array {
  const isLong = sequenceLength > originalPositions(parameters);
  const factors = isLong ? parameters.longFactors! : parameters.shortFactors!;
  return plain.map((frequency, i) => frequency / factors[i]!);
}

function attentionScale(parameters: RotaryParameters): number {
  const { type, factor = 1, attentionFactor, mscale, mscaleAllDimensions, maxPositions } = parameters;
  if (attentionFactor !== undefined && (type === 'yarn' || type === 'longrope')) return attentionFactor;
  const growth = (k: number): number => (factor <= 1 ? 1 : 0.1 * k * Math.log(factor) + 1);
  if (type === 'yarn') return mscale && mscaleAllDimensions ? growth(mscale) / growth(mscaleAllDimensions) : growth(1);
  const original = originalPositions(parameters);
  if (type !== 'longrope' || maxPositions <= original) return 1;
  return Math.sqrt(1 + Math.log(maxPositions / original) / Math.log(original));
}

function originalPositions({ originalPositions, maxPositions }: RotaryParameters): number {
  return originalPositions ?? maxPositions;
}

function checkParameters(parameters: RotaryParameters): void {
  const { type, base, headSize, partialFactor = 1, factor = 1 } = parameters;
  const dimensions = Math.floor(headSize * partialFactor);
  const expect = (condition: boolean, what: string, found: unknown): void => {
    if (condition) return;
    throw new GallopError(
      'invalid-file',
      `expected ${what} in the rotary parameters; found ${found}; download or convert the model again`,
    );
  };
  expect(base > 0 && Number.isFinite(base), 'a positive base', base);
  expect(factor > 0 && Number.isFinite(factor), 'a positive factor', factor);
  expect(
    originalPositions(parameters) >= 1 && parameters.maxPositions >= 1,
    'positive lengths',
    parameters.maxPositions,
  );
  expect(
    dimensions >= 2 && dimensions <= headSize && dimensions % 2 === 0,
    `an even size within ${headSize}`,
    dimensions,
  );
  expect(type !== 'dynamic' || dimensions > 2, 'more than two rotated elements', dimensions);
  for (const factors of type === 'longrope' ? [parameters.shortFactors, parameters.longFactors] : [])
    expect(factors?.length === dimensions / 2, `${dimensions / 2} factors`, factors?.length ?? 'none');
  const { divisors } = parameters;
  expect(!divisors || divisors.length === dimensions / 2, `${dimensions / 2} divisors`, divisors?.length);
}

/** Per position: n cosines, then n sines, of n frequencies, both multiplied by `scale`. → [positions, 2n] */
export function rotaryTable(frequencies: Float32Array, positions: Int32Array, scale = 1): Float32Array {
  const half = frequencies.length;
  const table = new Float32Array(positions.length * half * 2);
  for (let row = 0; row < positions.length; row++)
    for (let i = 0; i < half; i++) {
      const angle = round(positions[row]! * frequencies[i]!);
      table[(2 * row + 0) * half + i] = Math.cos(angle) * scale;
      table[(2 * row + 1) * half + i] = Math.sin(angle) * scale;
    }
  return table;
}

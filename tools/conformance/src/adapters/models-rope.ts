/** Rotary frequencies of `@gallop/models`. */
import { type RotaryParameters, type RotaryType, rotaryFrequencies } from '@gallop/models';
import { register } from '../registry.ts';

register('models', 'rope', 'frequencies', ({ params }) => {
  const rope = params.ropeParameters as Record<string, unknown>;
  const number = (key: string): number | undefined => rope[key] as number | undefined;
  const all = {
    type: rope.rope_type as RotaryType,
    base: number('rope_theta'),
    headSize: params.headDimension as number,
    maxPositions: params.maxPositionEmbeddings as number,
    partialFactor: number('partial_rotary_factor'),
    originalPositions: number('original_max_position_embeddings'),
    factor: number('factor'),
    attentionFactor: number('attention_factor'),
    lowFrequencyFactor: number('low_freq_factor'),
    highFrequencyFactor: number('high_freq_factor'),
    betaFast: number('beta_fast'),
    betaSlow: number('beta_slow'),
    mscale: number('mscale'),
    mscaleAllDimensions: number('mscale_all_dim'),
    truncate: rope.truncate as boolean | undefined,
    shortFactors: rope.short_factor as number[] | undefined,
    longFactors: rope.long_factor as number[] | undefined,
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value != null));
  const length = (params.sequenceLength as number | null) ?? undefined;
  const { frequencies, scale } = rotaryFrequencies(given as unknown as RotaryParameters, length);
  return { inverseFrequencies: frequencies, attentionFactor: scale };
});

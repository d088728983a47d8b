/** Rotary frequencies of `@gallop/models`. */
import { JsonView } from '@gallop/formats';
import { readJsonRotary, rotaryFrequencies } from '@gallop/models';
import { register } from '../registry.ts';

register('models', 'rope', 'frequencies', ({ params }) => {
  const config = new JsonView({ rope_parameters: params.ropeParameters }, 'the case');
  const parameters = readJsonRotary(config, {
    headSize: params.headDimension as number,
    maxPositions: params.maxPositionEmbeddings as number,
  });
  const length = (params.sequenceLength as number | null) ?? undefined;
  const { frequencies, scale } = rotaryFrequencies(parameters, length);
  return { inverseFrequencies: frequencies, attentionFactor: scale };
});

/** Adapters of products, normalisation layers, attention, convolutions, pools, resampling and rotary embedding. */
import { type RotaryParameters, rotaryFrequencies } from '@gallop/models';
import type { Tensor } from '@gallop/tensor';
import * as operations from '@gallop/tensor/operations';
import { register } from '../registry.ts';
import { registerTensor, type TensorCase } from './tensor-shared.ts';

/** Leaves out what a case does not give. */
function given<Value extends object>(options: { [Key in keyof Value]: Value[Key] | undefined }): Value {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value != null)) as Value;
}
type Optional<Name extends string> = Partial<Record<Name, Tensor>>;

const affineParameters = ({ optional, params }: TensorCase): Optional<'weight' | 'bias'> & { epsilon?: number } =>
  given({ weight: optional('weight'), bias: optional('bias'), epsilon: params.epsilon as number | undefined });

registerTensor('matmul', {
  matmul: ({ t, tensor, params }) => ({
    output: operations.matmul(t, tensor('left'), tensor('right'), params as { transposeLeft?: boolean }),
  }),
  linear: ({ t, tensor, optional }) => ({
    output: operations.linear(t, tensor('input'), tensor('weight'), optional('bias')),
  }),
  'linear-int8-weight': ({ t, tensor }) => ({
    output: operations.linearInt8Weight(t, tensor('input'), tensor('codes'), tensor('scale')),
  }),
  'matmul-int8': ({ t, tensor }) => ({ output: operations.matmulInt8(t, tensor('left'), tensor('right')) }),
  'linear-int8-dynamic': ({ t, tensor }) => ({
    ...operations.linearInt8Dynamic(t, tensor('input'), tensor('codes'), tensor('scale')),
  }),
  'linear-int4-group': ({ t, tensor, number }) => {
    const weight = { codes: tensor('codes'), scale: tensor('scale'), zeroPoint: tensor('zeroPoint') };
    return { output: operations.linearInt4Group(t, tensor('input'), weight, number('groupSize')) };
  },
});

registerTensor('normalisation', {
  softmax: ({ t, tensor, number }) => ({ output: operations.softmax(t, tensor('input'), number('axis')) }),
  'log-softmax': ({ t, tensor, number }) => ({ output: operations.logSoftmax(t, tensor('input'), number('axis')) }),
  'masked-softmax': ({ t, tensor, mask, number }) => ({
    output: operations.maskedSoftmax(t, tensor('input'), mask('mask'), number('scale')),
  }),
  'softmax-infinite': ({ t, tensor, number }) => ({ output: operations.softmax(t, tensor('input'), number('axis')) }),
  'layer-norm': (golden) => ({
    output: operations.layerNorm(golden.t, golden.tensor('input'), affineParameters(golden)),
  }),
  'rms-norm': (golden) => ({
    output: operations.rmsNorm(golden.t, golden.tensor('input'), {
      ...affineParameters(golden),
      onePlusWeight: golden.params.form === 'onePlusWeight',
    }),
  }),
  'group-norm': (golden) => ({
    output: operations.groupNorm(golden.t, golden.tensor('input'), golden.number('groups'), affineParameters(golden)),
  }),
  'batch-norm-inference': (golden) => ({
    output: operations.batchNormInference(
      golden.t,
      golden.tensor('input'),
      { mean: golden.tensor('runningMean'), variance: golden.tensor('runningVariance') },
      affineParameters(golden),
    ),
  }),
  'l2-normalise': ({ t, tensor, number }) => ({
    output: operations.l2Normalise(t, tensor('input'), number('epsilon')),
  }),
});

function attentionOptions({ params, optional, mask }: TensorCase): operations.DenseAttentionOptions {
  return given<operations.DenseAttentionOptions>({
    scale: params.scale as number | undefined,
    causal: params.causal as boolean | undefined,
    softcap: params.softcap as number | undefined,
    window: params.window as number | undefined,
    bias: optional('bias'),
    mask: optional('mask') && mask('mask'),
    sinks: optional('sinks'),
  });
}

registerTensor('attention', {
  'scaled-dot-product': (golden) => {
    const { t, tensor } = golden;
    const options = attentionOptions(golden);
    return { output: operations.denseAttention(t, tensor('query'), tensor('key'), tensor('value'), options) };
  },
  'segment-merge': ({ t, tensor, number }) => {
    const segments = Array.from({ length: number('segments') }, (_, i) =>
      operations.attendSegment(t, tensor('query'), tensor(`${i}.key`), tensor(`${i}.value`), number('scale')),
    );
    const parts = segments.flatMap((segment, i) =>
      Object.entries(segment).map(([name, value]) => [`${i}.${name}`, value as Tensor] as const),
    );
    return { ...Object.fromEntries(parts), ...operations.mergeSegments(t, segments) };
  },
});

const convolutionOptions = ({ params, optional }: TensorCase): operations.ConvolutionOptions =>
  given({ ...(params as operations.ConvolutionOptions), bias: optional('bias') });

function causal(golden: TensorCase): Record<string, Tensor> {
  const { t, tensor, optional, params } = golden;
  const options = given<operations.CausalConvolutionOptions>({
    bias: optional('bias'),
    state: optional('state'),
    activation: params.activation as 'silu' | 'none',
  });
  return { ...operations.causalDepthwiseConvolution(t, tensor('input'), tensor('weight'), options) };
}

registerTensor('convolution', {
  conv2d: (golden) => ({
    output: operations.conv2d(golden.t, golden.tensor('input'), golden.tensor('weight'), convolutionOptions(golden)),
  }),
  conv1d: (golden) => ({
    output: operations.conv1d(
      golden.t,
      golden.tensor('input'),
      golden.tensor('weight'),
      convolutionOptions(golden) as { stride?: number },
    ),
  }),
  'conv2d-transposed': (golden) => ({
    output: operations.conv2dTransposed(
      golden.t,
      golden.tensor('input'),
      golden.tensor('weight'),
      convolutionOptions(golden),
    ),
  }),
  'conv1d-causal-depthwise': causal,
  'conv1d-causal-update': causal,
});

const pair = (value: unknown): operations.Pair => value as operations.Pair;

registerTensor('pooling', {
  'max-pool2d': ({ t, tensor, params }) => ({
    output: operations.maxPool2d(t, tensor('input'), pair(params.kernel), params as operations.PoolOptions),
  }),
  'average-pool2d': ({ t, tensor, params }) => ({
    output: operations.averagePool2d(t, tensor('input'), pair(params.kernel), params as { countPadding?: boolean }),
  }),
  'adaptive-average-pool2d': ({ t, tensor, params }) => ({
    output: operations.adaptiveAveragePool2d(t, tensor('input'), pair(params.size)),
  }),
});

const interpolated = ({ t, tensor, params }: TensorCase): Record<string, Tensor> => ({
  output: operations.interpolate(
    t,
    tensor('input'),
    pair(params.size),
    params as unknown as operations.InterpolationOptions,
  ),
});

registerTensor('resampling', {
  'interpolate-nearest': interpolated,
  'interpolate-bilinear': interpolated,
  'interpolate-bicubic': interpolated,
  'interpolate-area': interpolated,
  'pixel-shuffle': ({ t, tensor, number }) => ({
    output: operations.pixelShuffle(t, tensor('input'), number('factor')),
  }),
  'pixel-unshuffle': ({ t, tensor, number }) => ({
    output: operations.pixelUnshuffle(t, tensor('input'), number('factor')),
  }),
});

registerTensor('rotary', {
  apply: ({ t, tensor, params, number }) => {
    const table = operations.rotaryTable(t, tensor('positions'), tensor('inverseFrequencies'), number('scaling'));
    const pairing = { halfSplit: 'halves', interleaved: 'adjacent' }[
      params.layout as string
    ] as operations.RotaryPairing;
    return { output: operations.rotate(t, tensor('input'), table, pairing) };
  },
  'apply-multi-axis': ({ t, tensor, params }) => {
    const sections = params as unknown as operations.SectionOptions;
    const table = operations.multiAxisRotaryTable(t, tensor('positions'), tensor('inverseFrequencies'), sections);
    return { output: operations.rotate(t, tensor('input'), table, 'halves') };
  },
});

/** The case's names for rotary parameters that the package calls otherwise. */
register('tensor', 'rotary', 'frequencies', ({ params }) => {
  const { originalMaxPositions, shortFactor, longFactor, partialRotaryFactor, sequenceLength, ...same } = params;
  const parameters = given<RotaryParameters>({
    ...(same as unknown as RotaryParameters),
    originalPositions: originalMaxPositions as number | undefined,
    shortFactors: shortFactor as number[] | undefined,
    longFactors: longFactor as number[] | undefined,
    partialFactor: partialRotaryFactor as number | undefined,
  });
  const { frequencies, scale } = rotaryFrequencies(parameters, sequenceLength as number | undefined);
  return { inverseFrequencies: frequencies, scaling: [scale] };
});

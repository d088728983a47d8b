/** Adapters of elementwise operations, reductions and layout changes. */
import type { Recorder, Tensor } from '@gallop/tensor';
import * as operations from '@gallop/tensor/operations';
import { registerTensor, type TensorCase } from './tensor-shared.ts';

const unary =
  (operation: (t: Recorder, x: Tensor) => Tensor) =>
  ({ t, tensor }: TensorCase) => ({ output: operation(t, tensor('input')) });
const binary =
  (operation: (t: Recorder, left: Tensor, right: Tensor) => Tensor) =>
  ({ t, tensor }: TensorCase) => ({ output: operation(t, tensor('left'), tensor('right')) });

registerTensor('elementwise', {
  exp: unary(operations.exp),
  log: unary(operations.log),
  sqrt: unary(operations.squareRoot),
  rsqrt: unary(operations.reciprocalSquareRoot),
  sin: unary(operations.sine),
  cos: unary(operations.cosine),
  tanh: unary(operations.tanh),
  sigmoid: unary(operations.sigmoid),
  silu: unary(operations.silu),
  relu: unary(operations.relu),
  'squared-relu': unary(operations.squaredRelu),
  elu: unary(operations.elu),
  abs: unary(operations.absolute),
  erf: unary(operations.erf),
  'round-straight-through': unary(operations.roundStraightThrough),
  add: binary(operations.add),
  subtract: binary(operations.subtract),
  multiply: binary(operations.multiply),
  divide: binary(operations.divide),
  maximum: binary(operations.maximum),
  minimum: binary(operations.minimum),
  'leaky-relu': ({ t, tensor, number }) => ({ output: operations.leakyRelu(t, tensor('input'), number('slope')) }),
  gelu: ({ t, tensor, params }) => ({
    output: operations.gelu(t, tensor('input'), params.approximation as operations.GeluApproximation),
  }),
  softplus: ({ t, tensor, number }) => ({
    output: operations.softplus(t, tensor('input'), { beta: number('beta'), threshold: number('threshold') }),
  }),
  clamp: ({ t, tensor, number }) => ({
    output: operations.clamp(t, tensor('input'), number('minimum'), number('maximum')),
  }),
  select: ({ t, tensor, mask }) => ({
    output: operations.select(t, mask('condition'), tensor('whenTrue'), tensor('whenFalse')),
  }),
  power: ({ t, tensor, number }) => ({ output: operations.power(t, tensor('input'), number('exponent')) }),
});

const reduction =
  (operation: (t: Recorder, x: Tensor, options: operations.ReductionOptions) => Tensor) =>
  ({ t, tensor, params }: TensorCase) => ({
    output: operation(t, tensor('input'), params as operations.ReductionOptions),
  });

registerTensor('reduction', {
  sum: reduction(operations.sum),
  mean: reduction(operations.mean),
  variance: reduction(operations.variance),
  maximum: reduction(operations.largest),
  minimum: reduction(operations.smallest),
  'log-sum-exp': reduction(operations.logSumExp),
  'cumulative-sum': ({ t, tensor, number }) => ({
    output: operations.cumulativeSum(t, tensor('input'), number('axis')),
  }),
  argmax: ({ t, tensor, number }) => ({ indices: operations.argmax(t, tensor('input'), number('axis')) }),
  argmin: ({ t, tensor, number }) => ({ indices: operations.argmin(t, tensor('input'), number('axis')) }),
  'top-k': ({ t, tensor, number }) => ({ ...operations.topK(t, tensor('input'), number('count')) }),
  sort: ({ t, tensor, params }) => ({
    ...operations.sort(t, tensor('input'), { descending: params.descending as boolean }),
  }),
});

const list = (value: unknown): readonly number[] => value as readonly number[];

registerTensor('indexing', {
  embedding: ({ t, tensor, integers }) => ({
    output: operations.embedding(t, tensor('table'), integers('indices')),
  }),
  gather: ({ t, tensor, integers, number }) => ({
    output: operations.gather(t, tensor('input'), number('axis'), integers('indices')),
  }),
  'scatter-add': ({ t, tensor, integers, number }) => ({
    output: operations.scatterAdd(t, tensor('base'), number('axis'), integers('indices'), tensor('source')),
  }),
  scatter: ({ t, tensor, integers, number }) => ({
    output: operations.scatter(t, tensor('base'), number('axis'), integers('indices'), tensor('source')),
  }),
  'index-select': ({ t, tensor, integers, number }) => ({
    output: operations.indexSelect(t, tensor('input'), number('axis'), integers('indices')),
  }),
  concatenate: ({ t, tensor, number }) => ({
    output: operations.concatenate(t, [tensor('first'), tensor('second'), tensor('third')], number('axis')),
  }),
  split: ({ t, tensor, number, params }) =>
    Object.fromEntries(
      operations
        .split(t, tensor('input'), number('axis'), list(params.sizes))
        .map((part, i) => [`part${i}`, part] as const),
    ),
  slice: ({ t, tensor, params }) => ({
    output: operations.slice(t, tensor('input'), {
      starts: list(params.starts),
      ends: list(params.ends),
      steps: list(params.steps),
    }),
  }),
  'pad-constant': ({ t, tensor, params, number }) => ({
    output: operations.pad(t, tensor('input'), list(params.before), list(params.after), number('value')),
  }),
  permute: ({ t, tensor, params }) => ({ output: operations.permute(t, tensor('input'), list(params.order)) }),
  'repeat-interleave': ({ t, tensor, number }) => ({
    output: operations.repeatInterleave(t, tensor('input'), number('axis'), number('repeats')),
  }),
});

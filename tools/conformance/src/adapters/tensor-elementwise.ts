/** Adapters of elementwise operations, reductions and layout changes. */
import * as operations from '@gallop/tensor/operations';
import { registerTensor, type TensorCase } from './tensor-shared.ts';

type Unary = 'exp' | 'log' | 'squareRoot' | 'reciprocalSquareRoot' | 'sine' | 'cosine' | 'tanh' | 'sigmoid' | 'silu';
type More = 'relu' | 'squaredRelu' | 'elu' | 'absolute' | 'erf' | 'roundStraightThrough';
type Binary = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum';

const unary =
  (name: Unary | More) =>
  ({ t, tensor }: TensorCase) => ({ output: operations[name](t, tensor('input')) });
const binary =
  (name: Binary) =>
  ({ t, tensor }: TensorCase) => ({ output: operations[name](t, tensor('left'), tensor('right')) });

registerTensor('elementwise', {
  exp: unary('exp'),
  log: unary('log'),
  sqrt: unary('squareRoot'),
  rsqrt: unary('reciprocalSquareRoot'),
  sin: unary('sine'),
  cos: unary('cosine'),
  tanh: unary('tanh'),
  sigmoid: unary('sigmoid'),
  silu: unary('silu'),
  relu: unary('relu'),
  'squared-relu': unary('squaredRelu'),
  elu: unary('elu'),
  abs: unary('absolute'),
  erf: unary('erf'),
  'round-straight-through': unary('roundStraightThrough'),
  add: binary('add'),
  subtract: binary('subtract'),
  multiply: binary('multiply'),
  divide: binary('divide'),
  maximum: binary('maximum'),
  minimum: binary('minimum'),
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

type Reduction = 'sum' | 'mean' | 'variance' | 'largest' | 'smallest' | 'logSumExp';

const reduction =
  (name: Reduction) =>
  ({ t, tensor, params }: TensorCase) => ({
    output: operations[name](t, tensor('input'), params as operations.ReductionOptions),
  });

registerTensor('reduction', {
  sum: reduction('sum'),
  mean: reduction('mean'),
  variance: reduction('variance'),
  maximum: reduction('largest'),
  minimum: reduction('smallest'),
  'log-sum-exp': reduction('logSumExp'),
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

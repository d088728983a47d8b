/**
 * State-space layers: Mamba's selective scan and Mamba-2's scan by heads, over whole sequences and step by step. Both are
 * one recurrence (`scan` in packages/kernels/src/c/scan.h), so that a sequence cut anywhere gives the same bits.
 *
 *     dt = softplus(timeStep + timeStepBias)
 *     state = e^(stateDecay · dt) · state + dt · inputMatrix · input
 *     output = (state · outputMatrix + skip · input) · SiLU(gate)
 */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { add, clamp, multiply, multiplyAdd, requireFloats, silu, softplus } from './elementwise.ts';
import { permute, reshape } from './layout.ts';
import { sameShape, stridesOf } from './shapes.ts';

/** Tensors of a scan. Mamba: heads are channels, inner is 1. */
export interface ScanInputs {
  /** [batch, heads, inner, length], or with time second [batch, length, heads, inner]. */
  readonly x: Tensor;
  /** [batch, heads, length], or [batch, length, heads]. */
  readonly timeStep: Tensor;
  /** [heads, states] or [heads]. */
  readonly decay: Tensor;
  /** [batch, length, groups, states]. */
  readonly inputMatrix: Tensor;
  readonly outputMatrix: Tensor;
  /** [batch, heads, inner, states]. Default: zeros. */
  readonly state?: Tensor;
}

interface ScanExtents {
  readonly batch: number;
  readonly heads: number;
  readonly inner: number;
  readonly length: number;
  readonly states: number;
  readonly groups: number;
}

function extentsOf(inputs: ScanInputs, channelsFirst: boolean): ScanExtents {
  const { x, inputMatrix, timeStep, decay, outputMatrix, state } = inputs;
  const [batch, a, b, c] = x.shape as [number, number, number, number];
  const [length, heads, inner] = channelsFirst ? [c, a, b] : [a, b, c];
  const [groups, states] = inputMatrix.shape.slice(2) as [number, number];
  const expect = (tensor: Tensor, shape: readonly number[], what: string): void =>
    requireArgument(
      sameShape(tensor.shape, shape),
      () => `${what} of shape [${shape}] was expected; received [${tensor.shape}]`,
    );
  requireArgument(
    x.shape.length === 4 && inputMatrix.shape.length === 4,
    () => `input and input matrix of four axes were expected; received [${x.shape}] and [${inputMatrix.shape}]`,
  );
  expect(inputMatrix, [batch, length, groups, states], 'an input matrix');
  expect(outputMatrix, inputMatrix.shape, 'an output matrix');
  expect(timeStep, channelsFirst ? [batch, heads, length] : [batch, length, heads], 'a time step');
  expect(decay, decay.shape.length === 1 ? [heads] : [heads, states], 'a state decay');
  if (state !== undefined) expect(state, [batch, heads, inner, states], 'a state');
  requireArgument(
    groups >= 1 && states >= 1 && heads % groups === 0,
    () => `states, and groups that divide ${heads} heads, were expected; received ${states} and ${groups}`,
  );
  return { batch, heads, inner, length, states, groups };
}

/** The operands that the scan and its gradient share. */
export function scanOperands(inputs: ScanInputs, channelsFirst: boolean): { extents: ScanExtents; operands: number[] } {
  const extents = extentsOf(inputs, channelsFirst);
  const { x, timeStep, decay, inputMatrix, outputMatrix, state } = inputs;
  const { batch, heads, inner, length, states, groups } = extents;
  const [xBatch, xFirst, xSecond, xThird] = stridesOf(x.shape) as [number, number, number, number];
  const [timeBatch, timeFirst, timeSecond] = stridesOf(timeStep.shape) as [number, number, number];
  const strides = channelsFirst
    ? [xBatch, xFirst, xSecond, xThird, timeBatch, timeFirst, timeSecond]
    : [xBatch, xSecond, xThird, xFirst, timeBatch, timeSecond, timeFirst];
  const operands = [
    ...[x.address, timeStep.address, decay.address, inputMatrix.address, outputMatrix.address, state?.address ?? 0],
    ...[batch, heads, inner, length, states, groups, decay.shape.length === 2 ? 1 : 0, ...strides],
  ];
  return { extents, operands };
}

export const scanTensors = ({ x, timeStep, decay, inputMatrix, outputMatrix, state }: ScanInputs): Tensor[] => [
  ...[x, timeStep, decay, inputMatrix, outputMatrix],
  ...(state === undefined ? [] : [state]),
];

/** The bare recurrence. → output laid out as x, last state [batch, heads, inner, states] */
export function scan(t: Recorder, inputs: ScanInputs, channelsFirst: boolean): { output: Tensor; state: Tensor } {
  const tensors = scanTensors(inputs);
  requireFloats(...tensors);
  const { extents, operands } = scanOperands(inputs, channelsFirst);
  const { batch, heads, inner, states } = extents;
  const [output, state] = [t.empty(inputs.x.shape), t.empty([batch, heads, inner, states])];
  if (state.size > 0) {
    t.needScratch(Math.ceil(states / 16) * 16);
    t.append('scan', tensors, [output, state], [...[output.address, state.address, ...operands]]);
  }
  t.observe({ kind: 'scan', channelsFirst, inputs: tensors, outputs: [output, state] });
  return { output, state };
}

export interface StateSpaceInputs {
  readonly input: Tensor;
  readonly timeStep: Tensor;
  /** Mamba [channels, states], Mamba-2 [heads]; already negative. */
  readonly stateDecay: Tensor;
  readonly inputMatrix: Tensor;
  readonly outputMatrix: Tensor;
  readonly timeStepBias?: Tensor;
  /** One for each channel or head. */
  readonly skip?: Tensor;
  readonly gate?: Tensor;
  /** Default: zeros. */
  readonly state?: Tensor;
}

export interface StateSpaceResult {
  readonly output: Tensor;
  readonly state: Tensor;
}

function finish(t: Recorder, output: Tensor, x: Tensor, skip: Tensor | undefined, gate: Tensor | undefined): Tensor {
  const skipped = skip === undefined ? output : multiplyAdd(t, x, skip, output);
  return gate === undefined ? skipped : multiply(t, skipped, silu(t, gate));
}

/**
 * Mamba. input, timeStep and gate [batch, channels, length], inputMatrix and outputMatrix [batch, states, length],
 * state [batch, channels, states].
 */
export function selectiveScan(t: Recorder, inputs: StateSpaceInputs): StateSpaceResult {
  const { input, stateDecay, timeStepBias, skip, gate } = inputs;
  requireArgument(
    input.shape.length === 3 && inputs.inputMatrix.shape.length === 3 && inputs.outputMatrix.shape.length === 3,
    () =>
      `[batch, channels, length] and matrices [batch, states, length] were expected; received [${input.shape}] and [${inputs.inputMatrix.shape}]`,
  );
  const [batch, channels, length] = input.shape as [number, number, number];
  const byStep = (matrix: Tensor): Tensor => {
    const swapped = permute(t, matrix, [0, 2, 1]);
    return reshape(t, swapped, [matrix.shape[0]!, matrix.shape[2]!, 1, matrix.shape[1]!]);
  };
  const perChannel = (values: Tensor): Tensor => reshape(t, values, [channels, 1]);
  const biased = timeStepBias === undefined ? inputs.timeStep : add(t, inputs.timeStep, perChannel(timeStepBias));
  const states = inputs.inputMatrix.shape[1]!;
  const { output, state } = scan(
    t,
    {
      x: reshape(t, input, [batch, channels, 1, length]),
      timeStep: softplus(t, biased),
      decay: stateDecay,
      inputMatrix: byStep(inputs.inputMatrix),
      outputMatrix: byStep(inputs.outputMatrix),
      ...(inputs.state === undefined ? {} : { state: reshape(t, inputs.state, [batch, channels, 1, states]) }),
    },
    true,
  );
  const flat = reshape(t, output, input.shape);
  const factor = skip === undefined ? undefined : perChannel(skip);
  return { output: finish(t, flat, input, factor, gate), state: reshape(t, state, [batch, channels, states]) };
}

/** One step of `selectiveScan`: input, timeStep and gate [batch, channels], matrices [batch, states]. */
export function selectiveStateUpdate(t: Recorder, inputs: StateSpaceInputs): StateSpaceResult {
  const step = (x: Tensor): Tensor => reshape(t, x, [...x.shape, 1]);
  const { output, state } = selectiveScan(t, {
    ...inputs,
    input: step(inputs.input),
    timeStep: step(inputs.timeStep),
    inputMatrix: step(inputs.inputMatrix),
    outputMatrix: step(inputs.outputMatrix),
    ...(inputs.gate === undefined ? {} : { gate: step(inputs.gate) }),
  });
  return { output: reshape(t, output, inputs.input.shape), state };
}

/**
 * Mamba-2. input and gate [batch, length, heads, head size], timeStep [batch, length, heads], matrices [batch, length,
 * groups, states], state [batch, heads, head size, states]; head h uses group ⌊h · groups / heads⌋. `timeStepLimits` clamp
 * dt. The recurrence is computed step by step: a chunk size would change nothing.
 */
export function headScan(
  t: Recorder,
  inputs: StateSpaceInputs,
  options: { timeStepLimits?: readonly [number, number] } = {},
): StateSpaceResult {
  const { input, stateDecay, inputMatrix, outputMatrix, timeStepBias, skip, gate } = inputs;
  const biased = timeStepBias === undefined ? inputs.timeStep : add(t, inputs.timeStep, timeStepBias);
  const positive = softplus(t, biased);
  const timeStep = options.timeStepLimits === undefined ? positive : clamp(t, positive, ...options.timeStepLimits);
  const tensors = { x: input, timeStep, decay: stateDecay, inputMatrix, outputMatrix };
  const { output, state } = scan(t, inputs.state === undefined ? tensors : { ...tensors, state: inputs.state }, false);
  const factor = skip === undefined ? undefined : reshape(t, skip, [skip.size, 1]);
  return { output: finish(t, output, input, factor, gate), state };
}

/** One step of `headScan`: input and gate [batch, heads, head size], timeStep [batch, heads], matrices [batch, groups, states]. */
export function headStateUpdate(
  t: Recorder,
  inputs: StateSpaceInputs,
  options: { timeStepLimits?: readonly [number, number] } = {},
): StateSpaceResult {
  const step = (x: Tensor): Tensor => reshape(t, x, [x.shape[0]!, 1, ...x.shape.slice(1)]);
  const stepped = {
    ...inputs,
    input: step(inputs.input),
    timeStep: step(inputs.timeStep),
    inputMatrix: step(inputs.inputMatrix),
    outputMatrix: step(inputs.outputMatrix),
    ...(inputs.gate === undefined ? {} : { gate: step(inputs.gate) }),
  };
  const { output, state } = headScan(t, stepped, options);
  return { output: reshape(t, output, inputs.input.shape), state };
}

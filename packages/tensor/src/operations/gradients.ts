/** Backward kernels of operations whose gradient is not composed of other operations. For gradient tapes. */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { permute, reshape } from './layout.ts';
import { sum } from './reduction.ts';
import { sameShape } from './shapes.ts';
import { type ScanInputs, scanOperands, scanTensors } from './state-space.ts';

/** Gradients of a scan's x, time step, decay, input matrix, output matrix and state. */
export type ScanGradients = [
  ...[x: Tensor, timeStep: Tensor, decay: Tensor, inputMatrix: Tensor, outputMatrix: Tensor, state: Tensor],
];

/** What the kernel leaves for every unit [batch, heads, inner, …]: to be summed over the units that share an input. */
function gradientParts(
  t: Recorder,
  inputs: ScanInputs,
  channelsFirst: boolean,
  outGradient: Tensor,
  stateGradient: Tensor | undefined,
): ScanGradients {
  const { extents, operands } = scanOperands(inputs, channelsFirst);
  const { batch, heads, inner, length, states } = extents;
  const units = [batch, heads, inner];
  const shapes = [[length], [states], [length, states], [length, states], [states]].map((rest) => [...units, ...rest]);
  const parts = [inputs.x.shape, ...shapes].map((shape) => t.empty(shape)) as ScanGradients;
  const reads = [...scanTensors(inputs), outGradient, ...(stateGradient === undefined ? [] : [stateGradient])];
  t.needScratch((length + 3) * Math.ceil(states / 16) * 16);
  if (parts[5].size > 0)
    t.append('scanGradient', reads, parts, [
      ...[outGradient.address, stateGradient?.address ?? 0, ...parts.map((part) => part.address), ...operands],
    ]);
  return parts;
}

/** The gradients of a scan's inputs from those of its output and, unless undefined, of its last state. */
export function scanGradient(
  t: Recorder,
  inputs: ScanInputs,
  channelsFirst: boolean,
  outGradient: Tensor,
  stateGradient: Tensor | undefined,
): ScanGradients {
  requireArgument(
    sameShape(outGradient.shape, inputs.x.shape),
    () => `a gradient of shape [${inputs.x.shape}] was expected; received [${outGradient.shape}]`,
  );
  const [x, timeStep, decay, inputMatrix, outputMatrix, state] = gradientParts(
    t,
    inputs,
    channelsFirst,
    outGradient,
    stateGradient,
  );
  const { batch, heads, inner, length, states, groups } = scanOperands(inputs, channelsFirst).extents;
  const perHead = sum(t, timeStep, { axes: [2] });
  const shared = (matrix: Tensor): Tensor => {
    const grouped = reshape(t, matrix, [batch, groups, (heads / groups) * inner, length, states]);
    return permute(t, sum(t, grouped, { axes: [2] }), [0, 2, 1, 3]);
  };
  return [
    x,
    channelsFirst ? perHead : permute(t, perHead, [0, 2, 1]),
    sum(t, decay, { axes: inputs.decay.shape.length === 2 ? [0, 2] : [0, 2, 3] }),
    shared(inputMatrix),
    shared(outputMatrix),
    state,
  ];
}

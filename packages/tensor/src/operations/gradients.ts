/** Backward kernels of operations whose gradient is not composed of other operations. For gradient tapes. */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { full, permute, reshape } from './layout.ts';
import { sum } from './reduction.ts';
import { sameShape } from './shapes.ts';
import { type ScanInputs, scanOperands, scanTensors } from './state-space.ts';

/**
 * Gradients of a scan's inputs (x, time step, decay, input matrix, output matrix, state) from those of its output and,
 * unless undefined, of its last state. The kernel leaves one part for every channel; the parts are summed here.
 */
export function scanGradient(
  t: Recorder,
  inputs: ScanInputs,
  channelsFirst: boolean,
  outGradient: Tensor,
  stateGradient: Tensor | undefined,
): [x: Tensor, timeStep: Tensor, decay: Tensor, inputMatrix: Tensor, outputMatrix: Tensor, state: Tensor] {
  const { extents, operands } = scanOperands(inputs, channelsFirst);
  const { batch, heads, inner, length, states, groups } = extents;
  requireArgument(
    sameShape(outGradient.shape, inputs.x.shape),
    () => `a gradient of shape [${inputs.x.shape}] was expected; received [${outGradient.shape}]`,
  );
  const units = [batch, heads, inner];
  const x = t.empty(inputs.x.shape);
  const parts = [[length], [states], [length, states], [length, states], [states]].map((rest) =>
    t.empty([...units, ...rest]),
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
  if (parts[4].size > 0 && length > 0) {
    t.needScratch((length + 3) * Math.ceil(states / 16) * 16);
    const reads = [...scanTensors(inputs), outGradient, ...(stateGradient === undefined ? [] : [stateGradient])];
    t.append(
      'scanGradient',
      reads,
      [x, ...parts],
      [
        ...[
          outGradient.address,
          stateGradient?.address ?? 0,
          x.address,
          ...parts.map((part) => part.address),
          ...operands,
        ],
      ],
    );
  } else return emptyGradients(t, inputs);
  const [timeStep, decay, inputMatrix, outputMatrix, state] = parts;
  const perHead = sum(t, timeStep, { axes: [2] });
  const perDecay = sum(t, decay, { axes: inputs.decay.shape.length === 2 ? [0, 2] : [0, 2, 3] });
  const shared = (matrix: Tensor): Tensor => {
    const grouped = sum(t, reshape(t, matrix, [batch, groups, (heads / groups) * inner, length, states]), {
      axes: [2],
    });
    return permute(t, grouped, [0, 2, 1, 3]);
  };
  return [
    x,
    channelsFirst ? perHead : permute(t, perHead, [0, 2, 1]),
    perDecay,
    shared(inputMatrix),
    shared(outputMatrix),
    state,
  ];
}

function emptyGradients(t: Recorder, inputs: ScanInputs): [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor] {
  const [x, timeStep, decay, inputMatrix, outputMatrix] = scanTensors(inputs).map((input) => full(t, input.shape, 0));
  return [x!, timeStep!, decay!, inputMatrix!, outputMatrix!, inputs.state ? full(t, inputs.state.shape, 0) : x!];
}

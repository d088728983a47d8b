/** Recurrent cells: one step of LSTM and GRU. */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { add, multiply, multiplyAdd, sigmoid, subtract, tanh } from './elementwise.ts';
import { split } from './layout.ts';
import { linear } from './matmul.ts';

export interface CellWeights {
  /** [gates · hidden, inputs] */
  readonly inputWeight: Tensor;
  /** [gates · hidden, hidden] */
  readonly hiddenWeight: Tensor;
  /** [gates · hidden] */
  readonly inputBias?: Tensor;
  readonly hiddenBias?: Tensor;
}

/** The two products of a cell, cut into gates. */
function gatesOf(
  t: Recorder,
  input: Tensor,
  hidden: Tensor,
  weights: CellWeights,
  count: number,
): [Tensor[], Tensor[]] {
  const size = hidden.columns;
  requireArgument(
    input.shape.length === 2 && hidden.shape.length === 2 && weights.hiddenWeight.shape[0] === count * size,
    () =>
      `rows of inputs and of hidden values, and ${count * size} gate rows, were expected; received [${input.shape}], [${hidden.shape}] and [${weights.hiddenWeight.shape}]`,
  );
  const sizes = new Array<number>(count).fill(size);
  return [
    split(t, linear(t, input, weights.inputWeight, weights.inputBias), 1, sizes),
    split(t, linear(t, hidden, weights.hiddenWeight, weights.hiddenBias), 1, sizes),
  ];
}

/** Gates input, forget, cell, output. input [rows, inputs], hidden and cell [rows, hidden]. */
export function lstmCell(
  t: Recorder,
  input: Tensor,
  hidden: Tensor,
  cell: Tensor,
  weights: CellWeights,
): { hidden: Tensor; cell: Tensor } {
  const [fromInput, fromHidden] = gatesOf(t, input, hidden, weights, 4);
  const [enter, forget, candidate, leave] = fromInput.map((gate, i) => add(t, gate, fromHidden[i]!)) as [
    ...[Tensor, Tensor, Tensor, Tensor],
  ];
  const kept = multiply(t, sigmoid(t, forget), cell);
  const newCell = multiplyAdd(t, sigmoid(t, enter), tanh(t, candidate), kept);
  return { hidden: multiply(t, sigmoid(t, leave), tanh(t, newCell)), cell: newCell };
}

/** Gates reset r, update z, new n = tanh(input part + r · hidden part); h' = (1 − z) n + z h. */
export function gruCell(t: Recorder, input: Tensor, hidden: Tensor, weights: CellWeights): Tensor {
  const [fromInput, fromHidden] = gatesOf(t, input, hidden, weights, 3);
  const reset = sigmoid(t, add(t, fromInput[0]!, fromHidden[0]!));
  const update = sigmoid(t, add(t, fromInput[1]!, fromHidden[1]!));
  const fresh = tanh(t, multiplyAdd(t, reset, fromHidden[2]!, fromInput[2]!));
  return multiplyAdd(t, update, subtract(t, hidden, fresh), fresh);
}

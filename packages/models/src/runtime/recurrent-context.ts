/**
 * How a recurrence runs over the rows of a call. Rows in sequence are one run from the state at hand, which they change.
 * The nodes of a tree run level by level, all nodes of a level at once, each from its parent's state; the state at hand
 * stays as it is.
 */
import type { Memory, Recorder, Tensor } from '@gallop/tensor';
import { assign, broadcastTo, concatenate, reshape } from '@gallop/tensor/operations';
import type { RecurrentContext, RecurrentStep } from './network.ts';
import type { StateLayout } from './recurrent-state.ts';

/** Nodes of one depth, by their rows, with the places of their parents in the level above. */
interface Level {
  readonly rows: Int32Array;
  readonly parents: Int32Array;
}

/** @param parents −1 for the children of the state at hand */
export function treeLevels(parents: Int32Array): readonly Level[] {
  const levels: { rows: number[]; parents: number[] }[] = [];
  const places: { depth: number; place: number }[] = [];
  parents.forEach((parent, row) => {
    const above = parent < 0 ? undefined : places[parent]!;
    const depth = above ? above.depth + 1 : 0;
    levels[depth] ??= { rows: [], parents: [] };
    places.push({ depth, place: levels[depth].rows.push(row) - 1 });
    levels[depth].parents.push(above?.place ?? 0);
  });
  return levels.map((level) => ({ rows: Int32Array.from(level.rows), parents: Int32Array.from(level.parents) }));
}

export interface RecurrentChunk {
  readonly activations: 'q8' | 'f32';
  readonly layout: StateLayout;
  /** The state before the rows; after them where they run in sequence. */
  readonly memory: Memory;
  /** Levels of a tree. Default: the rows run in sequence. */
  readonly levels?: readonly Level[] | undefined;
}

/** The contexts of all layers, by layer index. Valid until the recorder's outermost scope ends. */
export function recurrentContexts(t: Recorder, chunk: RecurrentChunk): (layer: number) => RecurrentContext {
  const { activations, layout, memory, levels } = chunk;
  return (layer) => ({
    activations,
    recur(name, inputs, step) {
      const state = layout.tensor(memory, layer, name);
      if (levels) return overTree(t, levels, state, inputs, step);
      const sequences = inputs.map((x) => reshape(t, x, [1, x.rows, x.columns]));
      const { output, state: after } = step(sequences, state);
      assign(t, state, after);
      return reshape(t, output, [output.shape[1]!, output.columns]);
    },
  });
}

function overTree(
  t: Recorder,
  levels: readonly Level[],
  root: Tensor,
  inputs: readonly Tensor[],
  step: RecurrentStep,
): Tensor {
  const shape = root.shape.slice(1);
  const outputs: Tensor[] = [];
  let above = root;
  for (const [depth, { rows, parents }] of levels.entries()) {
    const count = rows.length;
    const before = depth === 0 ? broadcastTo(t, root, [count, ...shape]) : pick(t, above, parents);
    const nodes = inputs.map((x) => reshape(t, t.copyRows(x, t.upload(rows)), [count, 1, x.columns]));
    const { output, state } = step(nodes, before);
    outputs.push(reshape(t, output, [count, output.columns]));
    above = reshape(t, state, [count, ...shape]);
  }
  const order = Int32Array.from(levels.flatMap(({ rows }) => [...rows]));
  const places = new Int32Array(order.length);
  order.forEach((row, place) => {
    places[row] = place;
  });
  return t.copyRows(concatenate(t, outputs, 0), t.upload(places));
}

/** States of the parents at these places. */
function pick(t: Recorder, states: Tensor, places: Int32Array): Tensor {
  const [count, ...shape] = states.shape;
  const flat = reshape(t, states, [count!, states.size / count!]);
  return reshape(t, t.copyRows(flat, t.upload(places)), [places.length, ...shape]);
}

/**
 * The steps that general operations are made of, as a gradient tape sees them: one for each kind of command, with what
 * its gradient needs. Everything else is composed of these.
 */
import type { MapFunction, reductions } from '../opcodes.ts';
import type { Tensor } from '../tensor.ts';

interface StepOf<Kind extends string> {
  readonly kind: Kind;
  /** The tensors that gradients may flow to. */
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** output = f(inputs…) element by element, with broadcasting. */
export interface MapStep extends StepOf<'map'> {
  readonly function: MapFunction;
  readonly p: number;
  readonly q: number;
}
/** The same elements in another shape. */
export interface ReshapeStep extends StepOf<'reshape'> {}
export interface PermuteStep extends StepOf<'permute'> {
  readonly order: readonly number[];
}
/** Repeats along axes of size 1, aligned at the right. */
export interface BroadcastStep extends StepOf<'broadcast'> {}
export interface SliceStep extends StepOf<'slice'> {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
}
export interface PadStep extends StepOf<'pad'> {
  readonly before: readonly number[];
}
export interface ConcatenateStep extends StepOf<'concatenate'> {
  readonly axis: number;
}
/** `whole`: indices of one axis choose whole slices; otherwise they have the output's shape. */
export interface GatherStep extends StepOf<'gather'> {
  readonly indices: Tensor;
  readonly axis: number;
  readonly whole: boolean;
}
/** Inputs: base, source. */
export interface ScatterStep extends StepOf<'scatter'> {
  readonly indices: Tensor;
  readonly axis: number;
  readonly whole: boolean;
  readonly add: boolean;
}
/** [outer, count, inner] → [outer, inner]. */
export interface ReduceStep extends StepOf<'reduce'> {
  readonly reduction: keyof typeof reductions;
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}
export interface CumulativeStep extends StepOf<'cumulative'> {
  readonly axis: number;
  readonly reverse: boolean;
}
/** Over the last axis. */
export interface SoftmaxStep extends StepOf<'softmax'> {
  readonly logarithm: boolean;
}
/** Over the last axis; inputs: x, without weight and bias. */
export interface NormaliseStep extends StepOf<'normalise'> {
  readonly epsilon: number;
  readonly centred: boolean;
}
export interface MatmulStep extends StepOf<'matmul'> {
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
}
export interface WindowGeometry {
  readonly window: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}
/** Images [planes, height, width] ↔ columns [planes, window height, window width, out height, out width]. */
export interface UnfoldStep extends StepOf<'unfold'> {
  readonly geometry: WindowGeometry;
}
export interface FoldStep extends StepOf<'fold'> {
  readonly geometry: WindowGeometry;
}
/** Pairs of the last axis turned by the angles of a table of cosines and sines. */
export interface RotateStep extends StepOf<'rotate'> {
  readonly table: Tensor;
  readonly pairing: 'halves' | 'adjacent';
}
/** Inputs: x, time step, decay, input matrix, output matrix[, state]; outputs: y, last state. */
export interface ScanStep extends StepOf<'scan'> {
  readonly channelsFirst: boolean;
}

export type Step =
  | MapStep
  | ReshapeStep
  | PermuteStep
  | BroadcastStep
  | SliceStep
  | PadStep
  | ConcatenateStep
  | GatherStep
  | ScatterStep
  | ReduceStep
  | CumulativeStep
  | SoftmaxStep
  | NormaliseStep
  | MatmulStep
  | UnfoldStep
  | FoldStep
  | RotateStep
  | ScanStep;

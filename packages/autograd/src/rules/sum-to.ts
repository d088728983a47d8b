/** The gradient of broadcasting: sums over what was repeated. */
import type { Recorder, Tensor } from '@gallop/tensor';
import { reshape, sum } from '@gallop/tensor/operations';

/** Sums a gradient over the axes along which a tensor of `shape` was repeated. */
export function sumTo(t: Recorder, gradient: Tensor, shape: readonly number[]): Tensor {
  if (String(gradient.shape) === String(shape)) return gradient;
  const extra = gradient.shape.length - shape.length;
  const axes = gradient.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < extra || (shape[axis - extra] === 1 && gradient.shape[axis] !== 1));
  return reshape(t, axes.length === 0 ? gradient : sum(t, gradient, { axes }), shape);
}

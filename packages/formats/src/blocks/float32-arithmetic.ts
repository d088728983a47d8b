/**
 * Float32 arithmetic in doubles: the reference encoders are defined down to the rounding of each operation. A single
 * operation on float32 values computed in doubles and rounded once with `Math.fround` equals the float32 operation.
 */
import { requireArgument } from '@gallop/core';
import { floatToHalf, halfToFloat } from '../values/float-formats.ts';

export const f32: (value: number) => number = Math.fround;

const SHIFT = 12582912; // 1.5 · 2^23: adding it leaves no fraction bits in a float32

/** Nearest integer of a float32 below 2^22, ties to even. */
export function roundEven(value: number): number {
  return f32(value + SHIFT) - SHIFT;
}

/** Nearest integer, ties away from zero. */
export function roundAway(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}

export function clamp(value: number, lowest: number, highest: number): number {
  return Math.min(Math.max(value, lowest), highest);
}

/**
 * Writes a half-precision number and returns the value it stands for.
 * @throws GallopError `invalid-argument` for a scale that no half can hold.
 */
export function putHalf(bytes: Uint8Array, at: number, value: number): number {
  const half = floatToHalf(value);
  requireArgument(
    (half & 0x7fff) < 0x7c00,
    () => `Expected values whose block scale fits a half float (up to 65504); received a scale of ${value}.`,
  );
  bytes[at] = half & 255;
  bytes[at + 1] = half >> 8;
  return halfToFloat(half);
}

/** The value of largest magnitude with its sign, the first of equals. */
export function signedExtreme(values: Float32Array, from: number, count: number): number {
  let extreme = 0;
  for (let i = from; i < from + count; i++) if (Math.abs(values[i]) > Math.abs(extreme)) extreme = values[i];
  return extreme;
}

/** 1/x, or 0 for a zero. */
export function inverse(value: number): number {
  return value === 0 ? 0 : f32(1 / value);
}

/**
 * Rotary position embedding (Su et al., 2021) on whole tensors: pairs of the last axis are turned by position ·
 * frequency. first' = first · cos − second · sin, second' = second · cos + first · sin. (Decoders rotate in place, see
 * Recorder.rope.)
 */
import { requireArgument } from '@gallop/core';
import type { Recorder } from '../recorder.ts';
import type { Tensor } from '../tensor.ts';
import { affine, cosine, multiply, requireFloats, sine, toFloat } from './elementwise.ts';
import { indexSelect } from './indexing.ts';
import { assign, broadcastTo, concatenate, permute, reshape } from './layout.ts';
import { countOf } from './shapes.ts';

/** halves: pairs (i, i + n); adjacent: pairs (2i, 2i + 1); n is the number of frequencies. */
export type RotaryPairing = 'halves' | 'adjacent';

function tableOf(t: Recorder, positions: Tensor, frequencies: Tensor, scaling: number): Tensor {
  const angles = multiply(t, positions, frequencies);
  const table = concatenate(t, [cosine(t, angles), sine(t, angles)], -1);
  return scaling === 1 ? table : affine(t, table, scaling);
}

/** Cosines, then sines, of the angles at i32 positions [length] with frequencies [n], times `scaling`. → [length, 2n] */
export function rotaryTable(t: Recorder, positions: Tensor, frequencies: Tensor, scaling = 1): Tensor {
  return tableOf(t, reshape(t, toFloat(t, positions), [positions.size, 1]), frequencies, scaling);
}

export interface SectionOptions {
  /** Number of frequency pairs for each row of positions. */
  readonly sections: readonly number[];
  /** Pairs take turns among the rows instead of standing in consecutive runs. Default: false. */
  readonly interleaved?: boolean;
}

/**
 * Which row of positions each of n pairs reads. Consecutive runs (Qwen2-VL), or interleaved (Qwen3-VL): pair i reads row
 * i mod rows where that is not 0 and i < rows · sections[row], else row 0.
 */
function sectionRows(count: number, { sections, interleaved = false }: SectionOptions): Int32Array {
  const rows = sections.length;
  requireArgument(
    sections.every((size) => Number.isInteger(size) && size >= 0) && sections.reduce((a, b) => a + b, 0) === count,
    () => `sections that add up to ${count} pairs were expected; received [${sections}]`,
  );
  if (interleaved) return Int32Array.from({ length: count }, (_, i) => (i < rows * sections[i % rows]! ? i % rows : 0));
  return Int32Array.from(sections.flatMap((size, row) => new Array<number>(size).fill(row)));
}

/** As `rotaryTable`, with rows of positions [rows, length] (time, height, width) divided among the frequencies. */
export function multiAxisRotaryTable(
  t: Recorder,
  positions: Tensor,
  frequencies: Tensor,
  options: SectionOptions,
): Tensor {
  requireArgument(
    positions.shape.length === 2 && positions.shape[0] === options.sections.length,
    () => `positions [${options.sections.length}, length] were expected; received [${positions.shape}]`,
  );
  const perPair = indexSelect(t, toFloat(t, positions), 0, sectionRows(frequencies.size, options));
  return tableOf(t, permute(t, perPair, [1, 0]), frequencies, 1);
}

/** Turns the first 2n elements of the last axis of x [..., length, size] by a table [length, 2n]; the rest passes. */
export function rotate(t: Recorder, x: Tensor, table: Tensor, pairing: RotaryPairing): Tensor {
  requireFloats(x, table);
  const [length, size] = x.shape.slice(-2) as [number, number];
  const rotary = table.columns;
  requireArgument(
    x.shape.length >= 2 && table.shape.length === 2 && table.shape[0] === length,
    () =>
      `a table row for each of ${length} positions was expected; received x [${x.shape}] and table [${table.shape}]`,
  );
  requireArgument(
    rotary % 2 === 0 && rotary <= size,
    () => `an even number of at most ${size} columns was expected; received a table of ${rotary}`,
  );
  requireArgument(
    pairing === 'halves' || pairing === 'adjacent',
    () => `a pairing of halves or adjacent was expected; received ${pairing}`,
  );
  const out = t.empty(x.shape);
  assign(t, out, x);
  if (out.size > 0 && rotary > 0) {
    const lead = countOf(x.shape.slice(0, -2));
    const rows = broadcastTo(t, reshape(t, table, [1, length, rotary]), [lead, length, rotary]);
    t.append(
      'rope',
      [out, rows],
      [out],
      [...[out.address, rows.address, lead * length, 1, size, rotary, pairing === 'adjacent' ? 1 : 0]],
    );
  }
  t.observe({ kind: 'rotate', table, pairing, inputs: [x], outputs: [out] });
  return out;
}

/**
 * Checksums of the reference C code's decoders, encoders and activation blocks on byte patterns and numbers that a few
 * lines generate. They complement the recorded cases in tools/conformance with longer inputs.
 */
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { type GgmlTypeName, ggmlType, ggmlTypes } from '../gguf/ggml-types.ts';
import { dequantize } from './dequantize.ts';
import { activationTypeOf, quantizedDot } from './dot.ts';
import { canQuantize, quantize } from './quantize.ts';

const hex = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0');
const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** 1024 elements of blocks filled with a byte pattern, with half-precision scales of 1/16 and minima of 1/32. */
function patternBlocks(type: GgmlTypeName, scaleAt: readonly number[], minimumAt: readonly number[]): Uint8Array {
  const { blockBytes, blockElements } = ggmlType(type);
  const bytes = Uint8Array.from(
    { length: (1024 / blockElements) * blockBytes },
    (_, index) => (167 * index + 13) & 255,
  );
  for (let at = 0; at < bytes.length; at += blockBytes) {
    for (const offset of scaleAt) bytes.set([0x00, 0x2c], at + offset);
    for (const offset of minimumAt) bytes.set([0x00, 0x28], at + offset);
    if (type === 'MXFP4') bytes[at] = 120 + ((at / blockBytes) % 8);
  }
  return bytes;
}

const decoded: [GgmlTypeName, number[], number[], string][] = [
  ['Q4_0', [0], [], '0376eee1'],
  ['Q4_1', [0], [2], 'f14d4868'],
  ['Q5_0', [0], [], 'b7860bfa'],
  ['Q5_1', [0], [2], 'b8cd4409'],
  ['Q8_0', [0], [], '69ccc6ce'],
  ['Q2_K', [80], [82], '25376975'],
  ['Q3_K', [108], [], '4bef45b3'],
  ['Q4_K', [0], [2], '954b69ce'],
  ['Q5_K', [0], [2], 'f1d43269'],
  ['Q6_K', [208], [], '1359ecff'],
  ['IQ4_NL', [0], [], '7e644fd6'],
  ['IQ4_XS', [0], [], 'db68c14f'],
  ['MXFP4', [], [], 'fc22b720'],
  ['NVFP4', [], [], '562f5a5f'],
  ['Q1_0', [0], [], '90cf8026'],
  ['Q2_0', [0], [], '5c898a7b'],
];

test.each(decoded)('%s decodes a byte pattern as the reference does', (type, scaleAt, minimumAt, checksum) => {
  expect(hex(bytesOf(dequantize(type, patternBlocks(type, scaleAt, minimumAt))))).toBe(checksum);
});

/** Uniform numbers from a linear congruential generator, in ±1 times `factor`. */
function uniform(seed: number, factor: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: 1024 }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return Math.fround(((state >>> 8) / 2 ** 24 - 0.5) * 2) * factor;
  });
}

const encoded: [GgmlTypeName, string, number][] = [
  ['Q4_0', '7b498d0c', 0.0397],
  ['Q4_1', 'ae5f6352', 0.0359],
  ['Q5_0', '98dae43d', 0.0183],
  ['Q5_1', '8a032383', 0.0173],
  ['Q8_0', '941ba820', 0.00225],
  ['Q2_K', '5ec2d30a', 0.134],
  ['Q3_K', '60092af5', 0.0742],
  ['Q4_K', '70a8d5c0', 0.0325],
  ['Q5_K', '2488c26b', 0.016],
  ['Q6_K', '25d52c0b', 0.0077],
  ['IQ4_NL', '63c72527', 0.0393],
  ['MXFP4', 'c2da63d4', 0.0896],
  ['NVFP4', '5eb4bf51', 0.0582],
  ['Q1_0', 'bbf83ff4', 0.288],
  ['Q2_0', 'ae59ddab', 0.285],
];

test.each(encoded)('%s encodes uniform numbers as the reference does', (type, checksum, error) => {
  const values = uniform(1, 1);
  const bytes = quantize(type, values);
  expect(hex(bytes)).toBe(checksum);
  const back = dequantize(type, bytes);
  const squares = values.reduce((sum, value, index) => sum + (value - back[index]) ** 2, 0);
  expect(Math.sqrt(squares / values.length)).toBeCloseTo(error, error > 0.01 ? 3 : 4);
});

test.each([
  ['Q8_0', 'a3daa823'],
  ['Q8_1', 'ed777f19'],
  ['Q8_K', '901dc22e'],
] as const)('%s activations are those of the reference', (type, checksum) => {
  expect(hex(quantize(type, uniform(7, 3)))).toBe(checksum);
});

test.each([
  ['Q4_0', -28.90756],
  ['Q4_1', -30.21281],
  ['Q5_0', -30.4242],
  ['Q5_1', -29.03297],
  ['Q8_0', -29.1511],
  ['Q2_K', -21.11591],
  ['Q3_K', -29.73454],
  ['Q4_K', -34.28535],
  ['Q5_K', -29.1093],
  ['Q6_K', -29.59809],
  ['IQ4_NL', -31.83831],
  ['MXFP4', -25.8863],
] as const)('%s dot product is that of the reference', (type, expected) => {
  const [dot] = quantizedDot(type, quantize(type, uniform(1, 1)), quantize(activationTypeOf(type), uniform(7, 3)));
  expect(Math.abs(dot - expected)).toBeLessThan(5e-4);
});

test('every type that can be encoded comes back close, zeros as zeros', () => {
  for (const { name, blockElements } of ggmlTypes) {
    if (!canQuantize(name) || name === 'IQ4_NL') continue;
    const zeros = dequantize(name, quantize(name, new Float32Array(2 * blockElements)));
    expect(
      zeros.every((value) => value === 0),
      name,
    ).toBe(true);
  }
});

test('values that no block can hold are refused', () => {
  const values = new Float32Array(256).fill(1);
  expect(() => quantize('Q4_0', values.subarray(1))).toThrow(/multiple of 32/);
  expect(() => quantize('Q4_0', Float32Array.from(values).fill(Number.NaN, 3, 4))).toThrow(/NaN at 3/);
  expect(() => quantize('Q4_K', Float32Array.from(values).fill(1e30, 3, 4))).toThrow(/half float/);
  expect(() => quantize('IQ2_XXS', values)).toThrow(/IQ2_XXS/);
  expect(() => dequantize('Q4_0', new Uint8Array(17))).toThrow(/18 bytes/);
  expect(() => quantizedDot('Q4_0', new Uint8Array(18), new Uint8Array(68))).toThrow(/rows of 64/);
});

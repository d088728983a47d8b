/**
 * Mutated files: headers with flipped bits, overwritten numbers, cuts and repeats must give a typed error or a file that
 * can be read entirely, never a crash, a hang or another error. Runs for a second by default, longer with
 * GALLOP_FUZZ_SECONDS; a failure names the seed that repeats it.
 */
import { GallopError } from '@gallop/core';
import { expect, test } from 'vitest';
import { dequantize } from './blocks/dequantize.ts';
import { openGguf } from './gguf/read.ts';
import { encodeGguf, ggufStrings } from './gguf/write.ts';
import { decodeValues } from './safetensors/dtypes.ts';
import { openSafetensors } from './safetensors/read.ts';
import { encodeSafetensors } from './safetensors/write.ts';
import { memorySource } from './source/byte-source.ts';
import { collectChunks } from './source/chunks.ts';

const SECONDS = Number(process.env.GALLOP_FUZZ_SECONDS ?? 1);

/** A small generator of 32-bit numbers. */
function generator(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const telling = [0, 1, 2, 4, 31, 32, 127, 128, 255, 256, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

function mutate(original: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = original.slice();
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(bytes.length || 1);
    switch (random(5)) {
      case 0:
        bytes[at] ^= 1 << random(8);
        break;
      case 1:
        new DataView(bytes.buffer).setUint32(
          Math.min(at, Math.max(0, bytes.length - 4)),
          telling[random(telling.length)],
          true,
        );
        break;
      case 2:
        bytes = bytes.slice(0, at);
        break;
      case 3:
        bytes.copyWithin(at, random(bytes.length || 1), random(bytes.length || 1));
        break;
      default:
        bytes[at] = random(256);
    }
    if (bytes.length < 8) break;
  }
  return bytes;
}

async function readGguf(bytes: Uint8Array): Promise<void> {
  const file = await openGguf(memorySource(bytes));
  for (const [, value] of file.metadata) {
    if (value.type === 'array' && value.elementType === 'string')
      for (const text of value.value) expect(text).toBeTypeOf('string');
  }
  for (const tensor of file.tensors) {
    const stored = await file.read(tensor);
    if (!tensor.type.startsWith('I') || tensor.type.startsWith('IQ')) dequantize(tensor.type, stored);
  }
}

async function readSafetensors(bytes: Uint8Array): Promise<void> {
  const file = await openSafetensors(memorySource(bytes));
  for (const tensor of file.tensors) {
    const values = decodeValues(tensor.dtype, await file.read(tensor));
    expect(values).toHaveLength(tensor.elements);
  }
}

const gguf = await collectChunks(
  encodeGguf({
    metadata: [
      ['general.architecture', { type: 'string', value: 'llama' }],
      ['general.alignment', { type: 'u32', value: 32 }],
      ['numbers', { type: 'array', elementType: 'i32', value: Int32Array.of(1, 2, 3) }],
      ['tokens', ggufStrings(['a', 'bc', '▁def'])],
      ['scale', { type: 'f32', value: 0.5 }],
      ['wide', { type: 'u64', value: 77 }],
    ],
    tensors: [
      { name: 'token_embd.weight', type: 'Q4_K', dimensions: [256, 2], data: new Uint8Array(288).fill(90) },
      { name: 'norm', type: 'F32', dimensions: [8], data: new Uint8Array(32) },
      { name: 'half', type: 'F16', dimensions: [4, 4], data: new Uint8Array(32) },
    ],
  }),
);
const safetensors = await collectChunks(
  encodeSafetensors(
    [
      { name: 'a.weight', dtype: 'F32', shape: [2, 3], data: new Uint8Array(24) },
      { name: 'b', dtype: 'BF16', shape: [5], data: new Uint8Array(10) },
      { name: 'c', dtype: 'U8', shape: [], data: new Uint8Array(1) },
    ],
    { format: 'pt' },
  ),
);

test.each([
  ['GGUF', gguf, readGguf],
  ['safetensors', safetensors, readSafetensors],
] as const)(
  'mutated %s files are read or refused',
  async (_, original, read) => {
    const end = Date.now() + SECONDS * 500;
    let [accepted, refused] = [0, 0];
    const first = SECONDS > 10 ? Date.now() % 2 ** 31 : 1;
    for (let seed = first; Date.now() < end; seed++) {
      const mutated = mutate(original, generator(seed * 2654435761));
      try {
        await read(mutated);
        accepted++;
      } catch (error) {
        if (!GallopError.isInstance(error)) throw new Error(`seed ${seed}`, { cause: error });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(accepted).toBeGreaterThan(10);
  },
  SECONDS * 1000 + 30_000,
);

/** Opening, reading, writing and splitting GGUF files, beyond the recorded cases in tools/conformance. */
import { expect, test } from 'vitest';
import { type ByteSource, memorySource } from '../source/byte-source.ts';
import { collectChunks } from '../source/chunks.ts';
import type { GgufValue } from './metadata.ts';
import { openGguf } from './read.ts';
import { ggufPartNames, openSplitGguf, splitGguf } from './split.ts';
import { encodeGguf, type GgufModel, ggufStrings } from './write.ts';

const metadata: [string, GgufValue][] = [
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['llama.block_count', { type: 'u32', value: 2 }],
  ['big', { type: 'u64', value: 2n ** 60n }],
  ['small', { type: 'i8', value: -3 }],
  ['truth', { type: 'bool', value: true }],
  ['scores', { type: 'array', elementType: 'f32', value: Float32Array.of(0.5, -1) }],
  ['tokens', ggufStrings(['a', '', '\ufeffbom', '▁the', 'x'.repeat(40)])],
];

const bytes = (length: number, seed: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);
const model: GgufModel = {
  metadata,
  tensors: [
    { name: 'a', type: 'F32', dimensions: [3, 2], data: bytes(24, 1) },
    { name: 'b', type: 'Q4_0', dimensions: [64, 2], data: () => [bytes(40, 2), bytes(32, 3)] },
    { name: 'c', type: 'F16', dimensions: [5], data: bytes(10, 4) },
  ],
};

test('what is written is read back, and writes the same bytes again', async () => {
  const written = await collectChunks(encodeGguf(model));
  const file = await openGguf(memorySource(written));
  expect(file.tensors.map(({ name, type, dimensions }) => ({ name, type, dimensions }))).toEqual(
    model.tensors.map(({ name, type, dimensions }) => ({ name, type, dimensions })),
  );
  expect(await file.read(file.tensor('b'))).toEqual(Uint8Array.of(...bytes(40, 2), ...bytes(32, 3)));
  const tensors = await Promise.all(file.tensors.map(async (tensor) => ({ ...tensor, data: await file.read(tensor) })));
  expect(await collectChunks(encodeGguf({ metadata: file.metadata, tensors }))).toEqual(written);
});

test('metadata is typed', async () => {
  const file = await openGguf(memorySource(await collectChunks(encodeGguf(model))));
  const { metadata: found } = file;
  expect(found.string('general.architecture')).toBe('llama');
  expect(found.number('llama.block_count')).toBe(2);
  expect(found.number('small')).toBe(-3);
  expect(found.get('big')).toEqual({ type: 'u64', value: 2n ** 60n });
  expect(found.boolean('truth')).toBe(true);
  expect(found.numbers('scores')).toEqual(Float32Array.of(0.5, -1));
  expect(found.number('absent', 7)).toBe(7);
  expect(found.strings('absent')).toBeUndefined();
  expect(() => found.number('absent')).toThrow(/no such key/);
  expect(() => found.string('small')).toThrow(/found i8/);
  expect(() => found.number('big')).toThrow(/2\^53/);
});

test('string tables decode lazily and keep byte order marks', async () => {
  const file = await openGguf(memorySource(await collectChunks(encodeGguf(model))));
  const tokens = file.metadata.strings('tokens')!;
  expect([...tokens]).toEqual(['a', '', '\ufeffbom', '▁the', 'x'.repeat(40)]);
  expect(tokens.at(2)).toBe('\ufeffbom');
  expect(tokens.bytes(3)).toEqual(new TextEncoder().encode('▁the'));
  expect(() => tokens.at(5)).toThrow(/below 5/);
  expect(() => tokens.at(-1)).toThrow(/below 5/);
});

test('parts of tensors are read straight to where they belong', async () => {
  const file = await openGguf(memorySource(await collectChunks(encodeGguf(model))));
  const tensor = file.tensor('a');
  expect(await file.read(tensor, { offset: 4, length: 3 })).toEqual(bytes(24, 1).subarray(4, 7));
  const into = new Uint8Array(8);
  file.readSync(tensor, into, 16);
  expect(into).toEqual(bytes(24, 1).subarray(16));
  expect(() => file.readSync(tensor, into, 17)).toThrow(/within the 24 bytes/);
  expect(() => file.tensor('absent')).toThrow(/"absent"/);
});

test('a header longer than the first window is read in growing parts, and no data with it', async () => {
  const vocabulary = Array.from({ length: 300_000 }, (_, index) => `token number ${index}`);
  const large = { ...model, metadata: [...metadata, ['vocabulary', ggufStrings(vocabulary)] as [string, GgufValue]] };
  const whole = await collectChunks(
    encodeGguf({
      ...large,
      tensors: [{ name: 'a', type: 'I8', dimensions: [64 << 20], data: new Uint8Array(64 << 20) }],
    }),
  );
  let requested = 0;
  const inner = memorySource(whole);
  const counting: ByteSource = {
    name: 'counting',
    size: inner.size,
    read: (offset, length, into) => {
      requested += length;
      return inner.read(offset, length, into);
    },
    close: () => {},
  };
  const file = await openGguf(counting);
  expect(file.metadata.strings('vocabulary')!.at(299_999)).toBe('token number 299999');
  expect(requested).toBeLessThan(2 * file.dataOffset + (4 << 20));
  expect(file.canReadSync).toBe(false);
});

test('a model in parts reads as one', async () => {
  const parts = splitGguf(model, 80);
  expect(parts.map((part) => part.tensors.map((tensor) => tensor.name))).toEqual([['a'], ['b'], ['c']]);
  const sources = await Promise.all(parts.map(async (part) => memorySource(await collectChunks(encodeGguf(part)))));
  const file = await openSplitGguf(sources);
  expect(file.metadata.string('general.architecture')).toBe('llama');
  expect(await file.read(file.tensor('c'))).toEqual(bytes(10, 4));
  await expect(openSplitGguf(sources.slice(0, 2))).rejects.toThrow(/part 1 of 3/);
  await expect(openSplitGguf([sources[1], sources[0], sources[2]])).rejects.toThrow(/Pass all parts in order/);
});

test('the parts of a model are named after any of them', () => {
  expect(ggufPartNames('/m/x-00002-of-00003.gguf')).toEqual([
    '/m/x-00001-of-00003.gguf',
    '/m/x-00002-of-00003.gguf',
    '/m/x-00003-of-00003.gguf',
  ]);
  expect(ggufPartNames('x.gguf')).toEqual(['x.gguf']);
});

test('what no reader would accept is not written', async () => {
  const write = (changes: Partial<GgufModel>): Promise<Uint8Array> =>
    collectChunks(encodeGguf({ ...model, ...changes }));
  const tensor = model.tensors[0];
  await expect(write({ tensors: [tensor, tensor] })).rejects.toThrow(/different tensor names/);
  await expect(write({ tensors: [{ ...tensor, name: 'n'.repeat(64) }] })).rejects.toThrow(/63 bytes/);
  await expect(write({ tensors: [{ ...tensor, dimensions: [1, 1, 1, 1, 6] }] })).rejects.toThrow(/1 to 4 sizes/);
  await expect(write({ tensors: [{ ...tensor, data: bytes(23, 0) }] })).rejects.toThrow(/24 bytes/);
  await expect(write({ tensors: [{ ...tensor, data: () => [bytes(20, 0), bytes(20, 0)] }] })).rejects.toThrow(
    /24 bytes/,
  );
  await expect(write({ metadata: [['x', { type: 'u8', value: 256 }]] })).rejects.toThrow(/fits u8/);
  await expect(write({ metadata: [['general.alignment', { type: 'u32', value: 24 }]] })).rejects.toThrow(
    /power of two/,
  );
});

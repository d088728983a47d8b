/** Reading, decoding, writing and splitting safetensors files, beyond the recorded cases in tools/conformance. */
import { expect, test } from 'vitest';
import { type ByteSource, memorySource } from '../source/byte-source.ts';
import { collectChunks } from '../source/chunks.ts';
import { floatToBfloat16, floatToHalf, halfToFloat } from '../values/float-formats.ts';
import { decodeValues, type SafetensorsDtype, safetensorsDtypes, toFloat32 } from './dtypes.ts';
import { openSafetensors, openShardedSafetensors, type SafetensorsFile } from './read.ts';
import { encodeSafetensors, type SafetensorsTensorInput, splitSafetensors } from './write.ts';

/** A file with the given header text and data. */
function fileOf(header: string, dataBytes = 0): ByteSource {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return memorySource(bytes);
}

const open = (header: string, dataBytes = 0): Promise<SafetensorsFile> => openSafetensors(fileOf(header, dataBytes));

test.each([
  [
    'a name twice',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
  ],
  ['a field twice', '{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}'],
  [
    'the same name escaped',
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}',
  ],
  ['an escaped lone surrogate', '{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'],
  ['NaN', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,NaN]}}'],
  ['an exponent', '{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}'],
  ['a fraction', '{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}'],
  ['a leading zero', '{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}'],
  ['minus zero', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[-0,1]}}'],
  ['a trailing comma', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}'],
  ['a rest', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}} x'],
  ['a raw control character', '{"a\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'],
  ['metadata that is no string', '{"__metadata__":{"x":1},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'],
  ['offsets the wrong way', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}'],
  ['a shape that is too large', '{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}}'],
  ['half a byte', '{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}'],
  ['an unknown type named like an inherited property', '{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,1]}}'],
  ['deep nesting', `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":${'['.repeat(100_000)}}}`],
])('%s is refused', async (_, header) => {
  await expect(open(header, 1)).rejects.toMatchObject({ code: 'invalid-file' });
});

test('a tensor may have any name', async () => {
  const file = await open('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1);
  expect(file.tensor('__proto__').byteLength).toBe(1);
});

const encoder: Partial<Record<SafetensorsDtype, (value: number) => Uint8Array>> = {
  F16: (value) => new Uint8Array(Uint16Array.of(floatToHalf(value)).buffer),
  BF16: (value) => new Uint8Array(Uint16Array.of(floatToBfloat16(value)).buffer),
  F32: (value) => new Uint8Array(Float32Array.of(value).buffer),
  F64: (value) => new Uint8Array(Float64Array.of(value).buffer),
  I8: (value) => new Uint8Array(Int8Array.of(value).buffer),
  I16: (value) => new Uint8Array(Int16Array.of(value).buffer),
  I32: (value) => new Uint8Array(Int32Array.of(value).buffer),
  I64: (value) => new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
};

test.each(Object.keys(encoder) as SafetensorsDtype[])('%s is decoded', (dtype) => {
  expect(Array.from(toFloat32(dtype, encoder[dtype]!(-7)))).toEqual([-7]);
  // The same bytes where they are not aligned.
  const shifted = Uint8Array.of(0, ...encoder[dtype]!(-7)).subarray(1);
  expect(Array.from(toFloat32(dtype, shifted))).toEqual([-7]);
});

test('8-bit floats are decoded', () => {
  const e4m3 = Uint8Array.of(0x00, 0x01, 0x08, 0x38, 0x7e, 0xb8, 0x7f);
  expect(Array.from(toFloat32('F8_E4M3', e4m3))).toEqual([0, 2 ** -9, 2 ** -6, 1, 448, -1, Number.NaN]);
  const e5m2 = Uint8Array.of(0x00, 0x01, 0x3c, 0x7b, 0x7c, 0xbc, 0x7d);
  expect(Array.from(toFloat32('F8_E5M2', e5m2))).toEqual([
    0,
    2 ** -16,
    1,
    57344,
    Number.POSITIVE_INFINITY,
    -1,
    Number.NaN,
  ]);
  expect(Array.from(toFloat32('F8_E8M0', Uint8Array.of(127, 128, 255)))).toEqual([1, 2, Number.NaN]);
  expect(() => decodeValues('F4', e4m3)).toThrow(/F4/);
});

test('half floats survive a round trip, and others round to nearest even', () => {
  for (let half = 0; half < 0x10000; half++) {
    const value = halfToFloat(half);
    if (!Number.isNaN(value)) expect(floatToHalf(value)).toBe(half);
  }
  const between = (a: number, b: number): number => (halfToFloat(a) + halfToFloat(b)) / 2;
  for (const half of [0, 1, 2, 0x3ff, 0x400, 0x3c00, 0x3c01, 0x7bfe]) {
    expect(floatToHalf(between(half, half + 1))).toBe(half % 2 === 0 ? half : half + 1);
  }
  expect(floatToHalf(65519.996)).toBe(0x7bff);
  expect(floatToHalf(65520)).toBe(0x7c00);
});

const tensors: SafetensorsTensorInput[] = (Object.keys(safetensorsDtypes) as SafetensorsDtype[]).map((dtype) => ({
  name: `t.${dtype}`,
  dtype,
  shape: [4, 2],
  data: Uint8Array.from({ length: safetensorsDtypes[dtype] }, (_, index) => index),
}));

test('every type is written and read back, aligned', async () => {
  const bytes = await collectChunks(encodeSafetensors(tensors, { format: 'pt' }));
  const file = await openSafetensors(memorySource(bytes));
  expect(file.metadata.get('format')).toBe('pt');
  expect(file.tensors).toHaveLength(tensors.length);
  for (const { name, dtype, shape, data } of tensors) {
    const tensor = file.tensor(name);
    expect(tensor).toMatchObject({ dtype, shape });
    expect(await file.read(tensor)).toEqual(data);
    if (safetensorsDtypes[dtype] >= 8) expect((tensor.byteOffset * 8) % safetensorsDtypes[dtype]).toBe(0);
  }
});

test('scalars, empty tensors and an empty file are written', async () => {
  const scalar: SafetensorsTensorInput = { name: 's', dtype: 'F32', shape: [], data: new Uint8Array(4) };
  const empty: SafetensorsTensorInput = { name: 'e', dtype: 'F32', shape: [0, 7], data: new Uint8Array(0) };
  const file = await openSafetensors(memorySource(await collectChunks(encodeSafetensors([scalar, empty]))));
  expect(file.tensor('s').elements).toBe(1);
  expect(file.tensor('e').byteLength).toBe(0);
  expect((await openSafetensors(memorySource(await collectChunks(encodeSafetensors([]))))).tensors).toEqual([]);
});

test('what no reader would accept is not written', async () => {
  const [tensor] = tensors;
  await expect(collectChunks(encodeSafetensors([tensor, tensor]))).rejects.toThrow(/different tensor names/);
  await expect(collectChunks(encodeSafetensors([{ ...tensor, name: '\ud800' }]))).rejects.toThrow(/Unicode/);
  await expect(collectChunks(encodeSafetensors([{ ...tensor, shape: [1.5] }]))).rejects.toThrow(/integers/);
  await expect(collectChunks(encodeSafetensors([{ ...tensor, data: new Uint8Array(1) }]))).rejects.toThrow(
    /received 1/,
  );
});

test('a model in parts reads as one', async () => {
  const { parts, index } = splitSafetensors(tensors, 100);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts[0].fileName).toBe(`model-00001-of-0000${parts.length}.safetensors`);
  const files = new Map<string, ByteSource>();
  for (const part of parts) {
    files.set(part.fileName, memorySource(await collectChunks(encodeSafetensors(part.tensors))));
  }
  const model = await openShardedSafetensors(index, (fileName) => files.get(fileName)!);
  for (const { name, data } of tensors) expect(await model.read(model.tensor(name))).toEqual(data);
  const wrong = index.replaceAll('t.F32', 't.absent');
  await expect(openShardedSafetensors(wrong, (fileName) => files.get(fileName)!)).rejects.toThrow(/t\.absent/);
});

test.each(['../evil', 'a/b', '..', '', 'c:x'])('an index cannot name the file %j', async (fileName) => {
  const index = JSON.stringify({ weight_map: { a: fileName } });
  await expect(openShardedSafetensors(index, () => memorySource(new Uint8Array(0)))).rejects.toThrow(/plain file name/);
});

/** Adapters of the GGUF container. */
import { crc32 } from 'node:zlib';
import {
  dequantize,
  type GgmlTypeName,
  type GgufFile,
  type GgufNumbers,
  type GgufValue,
  memorySource,
  openGguf,
  quantize,
  quantizedDot,
  type StringTable,
} from '@gallop/formats';
import { openFile } from '@gallop/formats/node';
import { register } from '../registry.ts';
import { fromBase64, outcomeOf } from './formats-shared.ts';

function plainValue(value: GgufValue): unknown {
  if (value.type !== 'array') return value.value;
  if (value.elementType === 'string') return [...(value.value as StringTable)];
  const numbers = Array.from(value.value as ArrayLike<number | bigint>, Number);
  return value.elementType === 'bool' ? numbers.map((number) => number !== 0) : numbers;
}

async function tensorRecords(file: GgufFile): Promise<Record<string, unknown>[]> {
  const records = [];
  for (const tensor of file.tensors) {
    const { name, typeId, type, dimensions, byteOffset, byteLength } = tensor;
    records.push({ name, typeId, type, dimensions, byteOffset, byteLength, crc32: crc32(await file.read(tensor)) });
  }
  return records;
}

register('formats', 'gguf', 'read', async ({ inputs }) => {
  const file = await openGguf(memorySource(fromBase64(inputs.fileBase64 as string)));
  const { version, alignment, dataOffset } = file;
  const metadata = [...file.metadata].map(([key, value]) => ({
    key,
    type: value.type,
    elementType: value.type === 'array' ? value.elementType : undefined,
    value: plainValue(value),
  }));
  return { version, alignment, dataOffset, metadata, tensors: await tensorRecords(file) };
});

register('formats', 'gguf', 'reject', async ({ inputs }) => ({
  outcome: await outcomeOf(inputs.filesBase64 as string[], openGguf),
}));
register('formats', 'gguf', 'read-real', async (context) => {
  const source = openFile(await context.realFile());
  using file = await openGguf(source);
  const { version, alignment, dataOffset } = file;
  const values: Record<string, unknown> = {};
  const arrays: Record<string, unknown> = {};
  for (const [key, value] of file.metadata) {
    if (value.type !== 'array') values[key] = value.value;
    else arrays[key] = { elementType: value.elementType, length: value.value.length, crc32: crcOfArray(value) };
  }
  const tensors = [];
  for (const tensor of file.tensors) {
    const bytes = await file.read(tensor);
    const floats = dequantize(tensor.type, bytes);
    const floatBytes = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
    const { name, type, dimensions, byteOffset, byteLength } = tensor;
    const float32Crc32 = crc32(floatBytes);
    tensors.push({ name, type, dimensions, byteOffset, byteLength, crc32: crc32(bytes), float32Crc32 });
  }
  return { version, alignment, dataOffset, values, arrays, tensors };
});

function crcOfArray(value: GgufValue & { type: 'array' }): number {
  if (value.elementType === 'string') return crc32([...(value.value as StringTable)].join('\0'));
  const numbers = value.value as GgufNumbers;
  return crc32(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
}

register('formats', 'gguf', 'dequantize', ({ params, tensor }) => {
  const blocks = tensor('blocks');
  const data = dequantize(params.type as GgmlTypeName, blocks.data as Uint8Array);
  return { values: { data, shape: [params.rows, params.columns] } };
});

for (const operation of ['quantize', 'quantize-activation']) {
  register('formats', 'gguf', operation, ({ params, tensor }) => ({
    blocks: quantize(params.type as GgmlTypeName, tensor('values').data as Float32Array),
  }));
}

register('formats', 'gguf', 'dot', ({ params, tensor }) => {
  const activation = tensor('activation').data as Float32Array;
  const activationBlocks = quantize(params.activationType as GgmlTypeName, activation);
  const dots = quantizedDot(params.type as GgmlTypeName, tensor('blocks').data as Uint8Array, activationBlocks);
  return { activationBlocks, dots };
});

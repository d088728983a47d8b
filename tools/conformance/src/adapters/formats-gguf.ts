/** Adapters of the GGUF container. */
import { crc32 } from 'node:zlib';
import { type GgufFile, type GgufValue, memorySource, openGguf, type StringTable } from '@gallop/formats';
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

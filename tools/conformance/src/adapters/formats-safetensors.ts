/** Adapters of the safetensors container: reading headers and refusing hostile files. */
import { crc32 } from 'node:zlib';
import { memorySource, openSafetensors } from '@gallop/formats';
import { register } from '../registry.ts';
import { fromBase64, outcomeOf } from './formats-shared.ts';

register('formats', 'safetensors', 'read', async ({ inputs }) => {
  const file = await openSafetensors(memorySource(fromBase64(inputs.fileBase64 as string)));
  const tensors = [];
  for (const tensor of file.tensors) {
    const { name, dtype, shape, byteOffset, byteLength } = tensor;
    tensors.push({ name, dtype, shape, byteOffset, byteLength, crc32: crc32(await file.read(tensor)) });
  }
  return { tensors, metadata: Object.fromEntries(file.metadata) };
});

register('formats', 'safetensors', 'reject', async ({ inputs }) => ({
  outcome: await outcomeOf(inputs.filesBase64 as string[], openSafetensors),
}));

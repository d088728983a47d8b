/**
 * Models split over several GGUF files, `name-00001-of-00003.gguf` and so on. Every part is a complete file with its own
 * tensors; the model's metadata lies in the first, which also says how many parts there are.
 */
import { GallopError } from '@gallop/core';
import type { ByteSource } from '../source/byte-source.ts';
import { ggmlByteLength, ggmlType } from './ggml-types.ts';
import { type GgufFile, type GgufTensor, ggufFile, readGgufHeader } from './read.ts';
import type { GgufModel, GgufTensorInput } from './write.ts';

const suffix = /-(\d{5})-of-(\d{5})\.gguf$/;

/**
 * The names of all parts of the model that a file belongs to, in order; the name itself for a model in one file.
 * Works on paths and URLs without a query.
 */
export function ggufPartNames(name: string): string[] {
  const match = suffix.exec(name);
  if (match === null) return [name];
  const stem = name.slice(0, match.index);
  const count = Number(match[2]);
  return Array.from(
    { length: count },
    (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${match[2]}.gguf`,
  );
}

/**
 * Opens a model given all its parts in order (one is fine). The file owns the sources; they are closed when opening fails.
 * @throws GallopError `invalid-file` when parts are missing, out of order or of different models.
 */
export async function openSplitGguf(sources: readonly ByteSource[]): Promise<GgufFile> {
  try {
    return await joinParts(sources);
  } catch (error) {
    for (const source of sources) source.close();
    throw error;
  }
}

async function joinParts(sources: readonly ByteSource[]): Promise<GgufFile> {
  const headers = await Promise.all(sources.map((source, part) => readGgufHeader(source, part)));
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  headers.forEach((header, part) => {
    const { metadata } = header;
    const [number, count] = [metadata.number('split.no', 0), metadata.number('split.count', 1)];
    if (number !== part || count !== sources.length) {
      throw new GallopError(
        'invalid-file',
        `Expected part ${part + 1} of ${sources.length} in ${sources[part].name}; found part ${number + 1} of ${count}. Pass all parts in order.`,
      );
    }
    for (const tensor of header.tensors) {
      if (names.has(tensor.name)) {
        throw new GallopError('invalid-file', `Expected each tensor once; ${tensor.name} is in several parts.`);
      }
      names.add(tensor.name);
      tensors.push(tensor);
    }
  });
  const first = headers[0];
  if (first === undefined) throw new GallopError('invalid-argument', 'Expected the parts of a model; received none.');
  const expected = first.metadata.number('split.tensors.count', tensors.length);
  if (expected !== tensors.length) {
    throw new GallopError('invalid-file', `Expected ${expected} tensors in all parts; found ${tensors.length}.`);
  }
  return ggufFile({ ...first, tensors }, sources);
}

/**
 * Divides a model into parts of at most `largestPartBytes` of tensors each (a larger tensor gets a part of its own). All
 * metadata goes into the first; name the files with `ggufPartNames`.
 * @throws GallopError `invalid-argument` unless `largestPartBytes` is positive.
 */
export function splitGguf(model: GgufModel, largestPartBytes: number): GgufModel[] {
  if (!(largestPartBytes > 0)) {
    throw new GallopError('invalid-argument', `Expected a positive size of parts; received ${largestPartBytes}.`);
  }
  const groups: GgufTensorInput[][] = [[]];
  let room = largestPartBytes;
  for (const tensor of model.tensors) {
    const elements = tensor.dimensions.reduce((product, size) => product * size, 1);
    const length = ggmlByteLength(ggmlType(tensor.type), elements);
    if (length > room && groups.at(-1)!.length > 0) {
      groups.push([]);
      room = largestPartBytes;
    }
    groups.at(-1)!.push(tensor);
    room -= length;
  }
  const metadata = [...model.metadata].filter(([key]) => !key.startsWith('split.'));
  return groups.map((tensors, part) => ({
    metadata: [
      ...(part === 0 ? metadata : []),
      ['split.no', { type: 'u16', value: part }],
      ['split.count', { type: 'u16', value: groups.length }],
      ['split.tensors.count', { type: 'i32', value: model.tensors.length }],
    ],
    tensors,
  }));
}

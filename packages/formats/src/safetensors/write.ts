/**
 * Writes safetensors files: the header's length, the header padded with spaces to a multiple of 8 bytes, then the tensors,
 * widest elements first so that all are aligned. Large models are divided into parts with an index.
 */
import { GallopError, requireArgument } from '@gallop/core';
import { type TensorData, tensorChunks } from '../source/chunks.ts';
import { type SafetensorsDtype, safetensorsDtypes } from './dtypes.ts';

/** A tensor to write. */
export interface SafetensorsTensorInput {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  /** Row-major; [] for a scalar. */
  readonly shape: readonly number[];
  /** Little-endian elements. */
  readonly data: TensorData;
}

/** Bytes of a tensor. @throws GallopError `invalid-argument` for a shape that does not fill whole bytes. */
function byteLengthOf({ name, dtype, shape }: SafetensorsTensorInput): number {
  const elements = shape.reduce((product, size) => product * size, 1);
  const length = (elements * safetensorsDtypes[dtype]) / 8;
  requireArgument(
    shape.every((size) => Number.isSafeInteger(size) && size >= 0) && Number.isSafeInteger(length),
    () => `Expected a shape of non-negative integers for tensor ${name}; received [${shape}] of ${dtype}.`,
  );
  return length;
}

/**
 * The bytes of a file, chunk by chunk.
 * @throws GallopError `invalid-argument` for names, shapes or data that no reader would accept.
 */
export async function* encodeSafetensors(
  tensors: readonly SafetensorsTensorInput[],
  metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const width = (tensor: SafetensorsTensorInput): number => safetensorsDtypes[tensor.dtype];
  const sorted = [...tensors].sort((a, b) => width(b) - width(a) || (a.name < b.name ? -1 : 1));
  const lengths = sorted.map(byteLengthOf);
  yield encodeHeader(sorted, lengths, metadata);
  for (const [index, tensor] of sorted.entries()) yield* tensorChunks(tensor.name, tensor.data, lengths[index]);
}

function encodeHeader(
  tensors: readonly SafetensorsTensorInput[],
  lengths: readonly number[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  // No prototype, so that a tensor may have any name.
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let offset = 0;
  tensors.forEach(({ name, dtype, shape }, index) => {
    requireArgument(
      !(name in header) && name !== '__metadata__' && !/\p{Surrogate}/u.test(name),
      () => `Expected different tensor names in valid Unicode; received ${JSON.stringify(name)}.`,
    );
    header[name] = { dtype, shape, data_offsets: [offset, (offset += lengths[index])] };
  });
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  return bytes;
}

/** One file of a model in parts. */
export interface SafetensorsPart {
  readonly fileName: string;
  readonly tensors: readonly SafetensorsTensorInput[];
}

/**
 * Divides a model into files of at most `largestPartBytes` of tensors (a larger tensor gets a file of its own), named as
 * the Hugging Face libraries expect, with the text of `model.safetensors.index.json`.
 * @throws GallopError `invalid-argument` unless `largestPartBytes` is positive.
 */
export function splitSafetensors(
  tensors: readonly SafetensorsTensorInput[],
  largestPartBytes: number,
): { readonly parts: readonly SafetensorsPart[]; readonly index: string } {
  if (!(largestPartBytes > 0)) {
    throw new GallopError('invalid-argument', `Expected a positive size of parts; received ${largestPartBytes}.`);
  }
  const groups: SafetensorsTensorInput[][] = [];
  let room = -1;
  let total = 0;
  for (const tensor of tensors) {
    const length = byteLengthOf(tensor);
    total += length;
    if (groups.length === 0 || length > room) {
      groups.push([]);
      room = largestPartBytes;
    }
    groups.at(-1)!.push(tensor);
    room -= length;
  }
  const number = (value: number): string => String(value).padStart(5, '0');
  const parts = groups.map((group, index) => ({
    fileName: `model-${number(index + 1)}-of-${number(groups.length)}.safetensors`,
    tensors: group,
  }));
  const weightMap = Object.fromEntries(parts.flatMap((part) => part.tensors.map(({ name }) => [name, part.fileName])));
  return { parts, index: JSON.stringify({ metadata: { total_size: total }, weight_map: weightMap }, undefined, 2) };
}

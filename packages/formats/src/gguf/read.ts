/**
 * Reads GGUF files, versions 2 and 3:
 *
 *     "GGUF"  u32 version  u64 n_tensors  u64 n_kv   n_kv × metadata   n_tensors × tensor info   padding   data
 *
 * Opening parses the header only; a tensor's bytes are read when asked for, straight to where the caller wants them.
 * Every number of the header is checked against the file before it is used.
 */
import type { ByteSource } from '../source/byte-source.ts';
import { type StoredTensor, type TensorStore, tensorStore } from '../source/tensor-store.ts';
import { type GgmlTypeName, ggmlTypeById } from './ggml-types.ts';
import { type HeaderCursor, parseHeader } from './header-cursor.ts';
import { GgufMetadata } from './metadata.ts';
import { readMetadata } from './read-metadata.ts';
import { decodeUtf8 } from './string-table.ts';

/** A tensor of a file: what it holds and where its bytes are. */
export interface GgufTensor extends StoredTensor {
  readonly type: GgmlTypeName;
  /** The type's number in the file. */
  readonly typeId: number;
  /** Sizes in file order: the first varies fastest. A PyTorch weight [out, in] has dimensions [in, out]. */
  readonly dimensions: readonly number[];
}

/** An open GGUF model, one file or several parts, with its tensors in file order. */
export interface GgufFile extends TensorStore<GgufTensor> {
  readonly version: number;
  readonly alignment: number;
  /** Where the data section of the (first) file starts. */
  readonly dataOffset: number;
  readonly metadata: GgufMetadata;
}

/** What a header says. */
export interface GgufHeader {
  readonly version: number;
  readonly alignment: number;
  readonly dataOffset: number;
  readonly metadata: GgufMetadata;
  readonly tensors: readonly GgufTensor[];
}

const DEFAULT_ALIGNMENT = 32;
/** Name length, dimension count, type and offset. */
const SMALLEST_TENSOR_INFO = 8 + 4 + 4 + 8;
const LONGEST_NAME = 63;

/**
 * Opens a GGUF file and parses its header. The file owns the source from here on; it is closed when opening fails.
 * @throws GallopError `invalid-file` with what is wrong and where.
 */
export async function openGguf(source: ByteSource): Promise<GgufFile> {
  try {
    return ggufFile(await readGgufHeader(source, 0), [source]);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Parses the header of one file. */
export function readGgufHeader(source: ByteSource, part: number): Promise<GgufHeader> {
  return parseHeader(source, (cursor) => parse(cursor, source, part));
}

/** Joins a header with the sources that hold the tensors' bytes. */
export function ggufFile(header: GgufHeader, sources: readonly ByteSource[]): GgufFile {
  return { ...header, ...tensorStore(header.tensors, sources) };
}

function parse(cursor: HeaderCursor, source: ByteSource, part: number): GgufHeader {
  const version = readVersion(cursor);
  const tensorCount = cursor.count('tensor count');
  const entryCount = cursor.count('metadata count');
  const metadata = new GgufMetadata(readMetadata(cursor, entryCount), source.name);
  const alignment = readAlignment(cursor, metadata);
  if (tensorCount * SMALLEST_TENSOR_INFO > cursor.left) {
    throw cursor.invalid(`Expected ${tensorCount} tensors; only ${cursor.left} bytes are left.`);
  }
  const unplaced: Unplaced[] = [];
  const names = new Set<string>();
  for (let index = 0; index < tensorCount; index++) {
    const info = readTensorInfo(cursor, part);
    if (names.has(info.name)) throw cursor.invalid(`Expected different tensor names; received "${info.name}" twice.`);
    names.add(info.name);
    unplaced.push(info);
  }
  const dataOffset = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = unplaced.map(({ offset, ...tensor }) => ({ ...tensor, byteOffset: dataOffset + offset }));
  checkPlacement(cursor, tensors, unplaced, alignment, source.size);
  return { version, alignment, dataOffset, metadata, tensors };
}

function readVersion(cursor: HeaderCursor): number {
  const magic = decodeUtf8(cursor.bytes, cursor.skip(4, 'magic'), cursor.position);
  if (magic !== 'GGUF') throw cursor.invalid(`Expected a GGUF file; it starts with ${JSON.stringify(magic)}.`);
  const version = cursor.u32('version');
  if ((version & 0xffff) === 0) throw cursor.invalid('Expected a little-endian file; this one is big-endian.');
  if (version === 2 || version === 3) return version;
  throw cursor.invalid(`Expected GGUF version 2 or 3; received ${version}. Convert the model again.`);
}

function readAlignment(cursor: HeaderCursor, metadata: GgufMetadata): number {
  const entry = metadata.get('general.alignment');
  if (entry === undefined) return DEFAULT_ALIGNMENT;
  const value = entry.type === 'u32' ? Number(entry.value) : 0;
  if (value > 0 && Number.isInteger(Math.log2(value))) return value;
  throw cursor.invalid(`Expected a u32 power of two as general.alignment; received ${entry.type} ${entry.value}.`);
}

type Unplaced = Omit<GgufTensor, 'byteOffset'> & { readonly offset: number };

function readTensorInfo(cursor: HeaderCursor, part: number): Unplaced {
  const nameStart = cursor.skip(cursor.count('length of a tensor name', LONGEST_NAME), 'tensor name');
  const name = decodeUtf8(cursor.bytes, nameStart, cursor.position);
  const rank = cursor.u32('number of dimensions');
  if (rank > 4) throw cursor.invalid(`Expected at most 4 dimensions of ${name}; received ${rank}.`);
  const dimensions: number[] = [];
  for (let axis = 0; axis < rank; axis++) dimensions.push(cursor.count(`dimension ${axis} of ${name}`));
  const typeId = cursor.u32(`type of ${name}`);
  const type = ggmlTypeById(typeId);
  if (type === undefined) throw cursor.invalid(`Expected a known type for tensor ${name}; received ${typeId}.`);
  if ((dimensions[0] ?? 1) % type.blockElements !== 0) {
    throw cursor.invalid(
      `Expected rows of a multiple of ${type.blockElements} for ${type.name} tensor ${name}; received ${dimensions[0]}.`,
    );
  }
  const elements = dimensions.reduce((product, size) => product * size, 1);
  const byteLength = (elements / type.blockElements) * type.blockBytes;
  // An empty dimension must not hide an overflow of the others.
  const largest = dimensions.reduce((product, size) => product * Math.max(size, 1), 1);
  if (!Number.isSafeInteger(largest) || !Number.isSafeInteger(byteLength) || byteLength > cursor.left) {
    throw cursor.invalid(
      `Expected tensor ${name} of [${dimensions}] to fit the file; only ${cursor.left} bytes are left.`,
    );
  }
  const offset = cursor.count(`offset of ${name}`);
  return { name, type: type.name, typeId, dimensions, elements, byteLength, part, offset };
}

function checkPlacement(
  cursor: HeaderCursor,
  tensors: readonly GgufTensor[],
  unplaced: readonly Unplaced[],
  alignment: number,
  size: number,
): void {
  tensors.forEach((tensor, index) => {
    if (unplaced[index].offset % alignment !== 0) {
      throw cursor.invalid(
        `Expected ${tensor.name} at a multiple of ${alignment}; received ${unplaced[index].offset}.`,
      );
    }
    if (tensor.byteOffset + tensor.byteLength > size) {
      throw cursor.invalid(
        `Expected ${tensor.byteLength} bytes of ${tensor.name} at ${tensor.byteOffset}; the file ends at ${size}. Download it again.`,
      );
    }
  });
  const placed = tensors.filter((tensor) => tensor.byteLength > 0).sort((a, b) => a.byteOffset - b.byteOffset);
  for (let index = 1; index < placed.length; index++) {
    const before = placed[index - 1];
    if (before.byteOffset + before.byteLength > placed[index].byteOffset) {
      throw cursor.invalid(`Expected separate tensors; ${before.name} and ${placed[index].name} overlap.`);
    }
  }
}

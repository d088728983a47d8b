/**
 * Reads safetensors files: a 64-bit header length, a JSON header `{ name: { dtype, shape, data_offsets } }`, then the
 * tensors' bytes. The ranges must tile the data section exactly. Opening parses the header only; models in parts are
 * opened through their index (`model.safetensors.index.json`).
 */
import { GallopError } from '@gallop/core';
import type { ByteSource } from '../source/byte-source.ts';
import { type StoredTensor, type TensorStore, tensorStore } from '../source/tensor-store.ts';
import { isSafetensorsDtype, type SafetensorsDtype, safetensorsDtypes } from './dtypes.ts';
import { JsonNumber, parseStrictJson, type StrictJson } from './strict-json.ts';

/** A tensor of a file: what it holds and where its bytes are. */
export interface SafetensorsTensor extends StoredTensor {
  readonly dtype: SafetensorsDtype;
  /** Row-major: the last dimension varies fastest. A scalar has []. */
  readonly shape: readonly number[];
}

/** An open model, one file or several, with its tensors sorted by offset, then name. */
export interface SafetensorsFile extends TensorStore<SafetensorsTensor> {
  /** The strings of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The reference reader's limit. */
const LARGEST_HEADER = 100_000_000;
const METADATA = '__metadata__';

/**
 * Opens a file and parses its header. The file owns the source from here on; it is closed when opening fails.
 * @throws GallopError `invalid-file` with what is wrong.
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  try {
    const { metadata, tensors } = await readHeader(source, 0);
    return { metadata, ...tensorStore(tensors, [source]) };
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * Opens a model in parts.
 * @param index text of `model.safetensors.index.json`, whose `weight_map` names the file of each tensor.
 * @param open opens a part by its file name.
 * @throws GallopError `invalid-file` when the index and the parts disagree.
 */
export async function openShardedSafetensors(
  index: string,
  open: (fileName: string) => ByteSource | Promise<ByteSource>,
): Promise<SafetensorsFile> {
  const weightMap = parseIndex(index);
  const fileNames = [...new Set(weightMap.values())];
  const sources: ByteSource[] = [];
  try {
    for (const fileName of fileNames) sources.push(await open(fileName));
    return await joinParts(weightMap, fileNames, sources);
  } catch (error) {
    for (const source of sources) source.close();
    throw error;
  }
}

async function joinParts(
  weightMap: ReadonlyMap<string, string>,
  fileNames: readonly string[],
  sources: readonly ByteSource[],
): Promise<SafetensorsFile> {
  const parts = await Promise.all(sources.map((source, part) => readHeader(source, part)));
  const tensors: SafetensorsTensor[] = [];
  const found = new Set<string>();
  parts.forEach((part, number) => {
    for (const tensor of part.tensors) {
      // A tensor that the index places elsewhere, or leaves out, is not part of the model.
      if (weightMap.get(tensor.name) !== fileNames[number]) continue;
      tensors.push(tensor);
      found.add(tensor.name);
    }
  });
  for (const [name, fileName] of weightMap) {
    if (!found.has(name))
      throw new GallopError('invalid-file', `Expected tensor ${name} in ${fileName}; it is not there.`);
  }
  return { metadata: parts[0]?.metadata ?? new Map(), ...tensorStore(tensors, sources) };
}

function parseIndex(index: string): Map<string, string> {
  const root = parseStrictJson(index, 'safetensors index');
  const weightMap = root instanceof Map ? root.get('weight_map') : undefined;
  if (!(weightMap instanceof Map)) {
    throw new GallopError('invalid-file', 'Expected a weight_map object in the safetensors index; found none.');
  }
  for (const [name, fileName] of weightMap) {
    // Names come from a file: they must not lead out of the model's folder.
    if (typeof fileName !== 'string' || fileName === '' || /[/\\:]/.test(fileName) || fileName.startsWith('..')) {
      throw new GallopError('invalid-file', `Expected a plain file name for ${name}; received ${String(fileName)}.`);
    }
  }
  return weightMap as Map<string, string>;
}

interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly SafetensorsTensor[];
}

async function readHeader(source: ByteSource, part: number): Promise<Header> {
  if (source.size < 8) throw invalid(source, `Expected 8 bytes of header length; the file has ${source.size}`);
  const lengthBytes = await source.read(0, 8);
  const length = new DataView(lengthBytes.buffer, lengthBytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(Math.min(source.size - 8, LARGEST_HEADER))) {
    throw invalid(source, `Expected a header within the file and below ${LARGEST_HEADER} bytes; received ${length}`);
  }
  const dataStart = 8 + Number(length);
  let text: string;
  try {
    const bytes = await source.read(8, Number(length));
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if (GallopError.isInstance(cause)) throw cause;
    throw invalid(source, 'Expected a header in UTF-8; found other bytes');
  }
  const root = parseStrictJson(text, `header of ${source.name}`);
  if (!(root instanceof Map)) throw invalid(source, 'Expected an object as header; found another value');
  const metadata = parseMetadata(source, root.get(METADATA));
  root.delete(METADATA);
  const tensors = [...root].map(([name, entry]) => parseEntry(source, name, entry, dataStart, part));
  checkTiling(source, tensors, dataStart);
  return { metadata, tensors };
}

function invalid(source: ByteSource, message: string): GallopError {
  return new GallopError('invalid-file', `${message} (${source.name}). The file is damaged or of another format.`);
}

function parseMetadata(source: ByteSource, value: StrictJson | undefined): ReadonlyMap<string, string> {
  const metadata = value ?? new Map<string, StrictJson>();
  if (!(metadata instanceof Map)) throw invalid(source, 'Expected an object as __metadata__; found another value');
  for (const [key, entry] of metadata) {
    if (typeof entry !== 'string') throw invalid(source, `Expected a string as metadata ${key}; found another value`);
  }
  return metadata as ReadonlyMap<string, string>;
}

function parseEntry(
  source: ByteSource,
  name: string,
  entry: StrictJson,
  dataStart: number,
  part: number,
): SafetensorsTensor {
  if (!(entry instanceof Map)) throw invalid(source, `Expected an object for tensor ${name}; found another value`);
  const dtype = entry.get('dtype');
  if (typeof dtype !== 'string' || !isSafetensorsDtype(dtype)) {
    throw invalid(source, `Expected a known dtype for tensor ${name}; received ${describe(dtype)}`);
  }
  const sizes = parseIntegers(source, name, 'shape', entry.get('shape'));
  const offsets = parseIntegers(source, name, 'data_offsets', entry.get('data_offsets'));
  if (offsets.length !== 2) throw invalid(source, `Expected two data_offsets for ${name}; received ${offsets.length}`);
  let elements = 1n;
  for (const size of sizes) {
    elements *= size;
    if (elements >= 2n ** 64n) throw invalid(source, `Expected tensor ${name} to be countable; its shape overflows`);
  }
  const bits = elements * BigInt(safetensorsDtypes[dtype]);
  const [begin, end] = offsets;
  if (begin > end || end > BigInt(source.size - dataStart)) {
    throw invalid(source, `Expected tensor ${name} within the data; received bytes ${begin} to ${end}`);
  }
  if (bits !== (end - begin) * 8n) {
    throw invalid(
      source,
      `Expected ${bits} bits for ${dtype} [${sizes}] tensor ${name}; received bytes ${begin} to ${end}`,
    );
  }
  return {
    name,
    dtype,
    shape: sizes.map(Number),
    elements: Number(elements),
    byteOffset: dataStart + Number(begin),
    byteLength: Number(end - begin),
    part,
  };
}

function describe(value: StrictJson | undefined): string {
  return value instanceof JsonNumber ? value.text : typeof value === 'string' ? `"${value}"` : 'none';
}

/** A list of plain non-negative integers below 2^64; sizes above 2^53 can only belong to an empty tensor. */
function parseIntegers(source: ByteSource, name: string, field: string, value: StrictJson | undefined): bigint[] {
  if (!Array.isArray(value)) throw invalid(source, `Expected a list as ${field} of ${name}; found another value`);
  return value.map((element) => {
    const text = element instanceof JsonNumber ? element.text : '';
    const integer = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
    if (integer === undefined || integer >= 2n ** 64n) {
      throw invalid(
        source,
        `Expected integers from 0 to 2^64 − 1 as ${field} of ${name}; received ${describe(element)}`,
      );
    }
    return integer;
  });
}

/** Sorts the tensors by place and checks that they leave no hole, overlap or rest. */
function checkTiling(source: ByteSource, tensors: SafetensorsTensor[], dataStart: number): void {
  // An empty range comes before the tensor that starts at the same place.
  tensors.sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let position = dataStart;
  for (const tensor of tensors) {
    if (tensor.byteOffset !== position) {
      throw invalid(source, `Expected tensor ${tensor.name} at ${position}; it starts at ${tensor.byteOffset}`);
    }
    position += tensor.byteLength;
  }
  if (position !== source.size) {
    throw invalid(source, `Expected the file to end with its last tensor at ${position}; it has ${source.size} bytes`);
  }
  tensors.sort((a, b) => a.byteOffset - b.byteOffset || (a.name < b.name ? -1 : 1));
}

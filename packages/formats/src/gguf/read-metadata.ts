/**
 * Parses the key–value section of a GGUF header: `{ string key; u32 type; value }` repeated. Counts are compared with
 * the bytes that are left before anything is allocated; nested arrays are refused, as the reference reader does.
 */
import type { HeaderCursor } from './header-cursor.ts';
import {
  type GgufElementType,
  type GgufNumbers,
  type GgufNumberType,
  type GgufValue,
  ggufValueTypes,
} from './metadata.ts';
import { decodeUtf8, type StringTable, stringTable } from './string-table.ts';

/** A string's length, one byte of key, a type and one byte of value. */
const SMALLEST_ENTRY = 8 + 1 + 4 + 1;

const arrayConstructors: Readonly<Record<GgufNumberType | 'bool', { new (buffer: ArrayBuffer): GgufNumbers }>> = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
  bool: Uint8Array,
};

const elementBytes: Readonly<Record<GgufNumberType | 'bool', number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
  bool: 1,
};

/** Reads `count` entries into a map in file order. */
export function readMetadata(cursor: HeaderCursor, count: number): Map<string, GgufValue> {
  if (count * SMALLEST_ENTRY > cursor.left) {
    throw cursor.invalid(`Expected ${count} metadata entries; only ${cursor.left} bytes are left.`);
  }
  const values = new Map<string, GgufValue>();
  for (let index = 0; index < count; index++) {
    const key = decodeUtf8(cursor.bytes, cursor.string('metadata key'), cursor.position);
    if (key === '') throw cursor.invalid('Expected a metadata key; received an empty one.');
    if (values.has(key)) throw cursor.invalid(`Expected different metadata keys; received "${key}" twice.`);
    values.set(key, readValue(cursor, key, readType(cursor, key)));
  }
  return values;
}

function readType(cursor: HeaderCursor, key: string): GgufElementType | 'array' {
  const id = cursor.u32(`type of ${key}`);
  const type = ggufValueTypes[id];
  if (type === undefined) throw cursor.invalid(`Expected a value type from 0 to 12 for ${key}; received ${id}.`);
  return type;
}

function readValue(cursor: HeaderCursor, key: string, type: GgufElementType | 'array'): GgufValue {
  switch (type) {
    case 'bool':
      return { type, value: cursor.u8(key) !== 0 };
    case 'string':
      return { type, value: decodeUtf8(cursor.bytes, cursor.string(key), cursor.position) };
    case 'array':
      return readArray(cursor, key);
    case 'u64':
    case 'i64': {
      const value = cursor[type](key);
      return { type, value: isSafe(value) ? Number(value) : value };
    }
    default:
      return { type, value: cursor[type](key) };
  }
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

function readArray(cursor: HeaderCursor, key: string): GgufValue {
  const elementType = readType(cursor, key);
  if (elementType === 'array')
    throw cursor.invalid(`Expected an array of plain values as ${key}; found nested arrays.`);
  const count = cursor.count(`number of elements of ${key}`, 2 ** 30);
  if (elementType === 'string') return { type: 'array', elementType, value: readStrings(cursor, key, count) };
  const start = cursor.skip(count * elementBytes[elementType], key);
  // A copy, because the header aligns nothing.
  const buffer = cursor.bytes.slice(start, cursor.position).buffer as ArrayBuffer;
  return { type: 'array', elementType, value: new arrayConstructors[elementType](buffer) };
}

function readStrings(cursor: HeaderCursor, key: string, count: number): StringTable {
  if (count * 8 > cursor.left) {
    throw cursor.invalid(`Expected ${count} strings in ${key}; only ${cursor.left} bytes are left.`);
  }
  const starts = new Uint32Array(count);
  for (let index = 0; index < count; index++) starts[index] = cursor.string(key);
  return stringTable(cursor.bytes, starts, (index) => starts[index] + cursor.lengthBefore(starts[index]));
}

/**
 * The element types of GGUF files: name, number in a file, and how many bytes hold how many elements. Values are stored
 * in blocks along the fastest dimension; a row must be a whole number of blocks. Types 4, 5, 31–33 and 36–38 were removed
 * from the format and count as unknown.
 */
import { GallopError } from '@gallop/core';

export type GgmlTypeName =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F64'
  | 'I8'
  | 'I16'
  | 'I32'
  | 'I64'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q8_1'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'Q8_K'
  | 'IQ1_S'
  | 'IQ1_M'
  | 'IQ2_XXS'
  | 'IQ2_XS'
  | 'IQ2_S'
  | 'IQ3_XXS'
  | 'IQ3_S'
  | 'IQ4_NL'
  | 'IQ4_XS'
  | 'TQ1_0'
  | 'TQ2_0'
  | 'MXFP4'
  | 'NVFP4'
  | 'Q1_0'
  | 'Q2_0';

export interface GgmlType {
  readonly name: GgmlTypeName;
  /** The number that stands for the type in a file. */
  readonly id: number;
  /** Elements in one block. */
  readonly blockElements: number;
  /** Bytes of one block. */
  readonly blockBytes: number;
}

const table: readonly (readonly [GgmlTypeName, number, number, number])[] = [
  ['F32', 0, 1, 4],
  ['F16', 1, 1, 2],
  ['Q4_0', 2, 32, 18],
  ['Q4_1', 3, 32, 20],
  ['Q5_0', 6, 32, 22],
  ['Q5_1', 7, 32, 24],
  ['Q8_0', 8, 32, 34],
  ['Q8_1', 9, 32, 36],
  ['Q2_K', 10, 256, 84],
  ['Q3_K', 11, 256, 110],
  ['Q4_K', 12, 256, 144],
  ['Q5_K', 13, 256, 176],
  ['Q6_K', 14, 256, 210],
  ['Q8_K', 15, 256, 292],
  ['IQ2_XXS', 16, 256, 66],
  ['IQ2_XS', 17, 256, 74],
  ['IQ3_XXS', 18, 256, 98],
  ['IQ1_S', 19, 256, 50],
  ['IQ4_NL', 20, 32, 18],
  ['IQ3_S', 21, 256, 110],
  ['IQ2_S', 22, 256, 82],
  ['IQ4_XS', 23, 256, 136],
  ['I8', 24, 1, 1],
  ['I16', 25, 1, 2],
  ['I32', 26, 1, 4],
  ['I64', 27, 1, 8],
  ['F64', 28, 1, 8],
  ['IQ1_M', 29, 256, 56],
  ['BF16', 30, 1, 2],
  ['TQ1_0', 34, 256, 54],
  ['TQ2_0', 35, 256, 66],
  ['MXFP4', 39, 32, 17],
  ['NVFP4', 40, 64, 36],
  ['Q1_0', 41, 128, 18],
  ['Q2_0', 42, 64, 18],
];

const byId: ReadonlyMap<number, GgmlType> = new Map(
  table.map(([name, id, blockElements, blockBytes]) => [id, { name, id, blockElements, blockBytes }]),
);
const byName: ReadonlyMap<string, GgmlType> = new Map([...byId.values()].map((type) => [type.name, type]));

/** Every type, by the order of their numbers. */
export const ggmlTypes: readonly GgmlType[] = [...byId.values()];

/** The type with this number in a file, or undefined for a removed or unknown one. */
export function ggmlTypeById(id: number): GgmlType | undefined {
  return byId.get(id);
}

/** The type of this name. @throws GallopError `unsupported` for another string. */
export function ggmlType(name: string): GgmlType {
  const type = byName.get(name);
  if (type !== undefined) return type;
  throw new GallopError('unsupported', `Expected one of ${[...byName.keys()].join(', ')}; received ${name}.`);
}

/** Bytes that hold `elements` values. @throws GallopError `invalid-argument` unless they fill whole blocks. */
export function ggmlByteLength(type: GgmlType, elements: number): number {
  if (!Number.isSafeInteger(elements) || elements < 0 || elements % type.blockElements !== 0) {
    throw new GallopError(
      'invalid-argument',
      `Expected a multiple of ${type.blockElements} elements for ${type.name}; received ${elements}.`,
    );
  }
  return (elements / type.blockElements) * type.blockBytes;
}

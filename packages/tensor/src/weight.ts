/**
 * Weight matrices as the kernels read them: panels of 16 output rows, interleaved (packages/kernels/src/c/panels.h says
 * how), with the codes and scales of the file, repacked once and never expanded.
 */
import { requireArgument } from '@gallop/core';
import type { Backend } from './backend.ts';
import { Recorder } from './recorder.ts';

/** What a panel format needs: columns per block, and bytes of a block in the file and of 16 blocks in a panel. */
interface PanelFormat {
  readonly id: number;
  readonly blockColumns: number;
  readonly fileBytes: number;
  readonly panelBytes: number;
}

export type WeightFormat =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K';

const formats: Readonly<Record<WeightFormat, PanelFormat>> = {
  F32: { id: 0, blockColumns: 1, fileBytes: 4, panelBytes: 64 },
  F16: { id: 1, blockColumns: 1, fileBytes: 2, panelBytes: 32 },
  Q4_0: { id: 2, blockColumns: 32, fileBytes: 18, panelBytes: 288 },
  Q4_1: { id: 3, blockColumns: 32, fileBytes: 20, panelBytes: 320 },
  Q5_0: { id: 6, blockColumns: 32, fileBytes: 22, panelBytes: 352 },
  Q5_1: { id: 7, blockColumns: 32, fileBytes: 24, panelBytes: 384 },
  Q8_0: { id: 8, blockColumns: 32, fileBytes: 34, panelBytes: 544 },
  Q2_K: { id: 10, blockColumns: 256, fileBytes: 84, panelBytes: 64 + 8 * 160 },
  Q3_K: { id: 11, blockColumns: 256, fileBytes: 110, panelBytes: 32 + 8 * 224 },
  Q4_K: { id: 12, blockColumns: 256, fileBytes: 144, panelBytes: 64 + 8 * 288 },
  Q5_K: { id: 13, blockColumns: 256, fileBytes: 176, panelBytes: 64 + 8 * 352 },
  Q6_K: { id: 14, blockColumns: 256, fileBytes: 210, panelBytes: 32 + 8 * 416 },
  BF16: { id: 30, blockColumns: 1, fileBytes: 2, panelBytes: 32 },
};

/** The formats that matrices can be used in without conversion. */
export const weightFormats: readonly WeightFormat[] = Object.keys(formats) as WeightFormat[];

export function isWeightFormat(name: string): name is WeightFormat {
  return name in formats;
}

/** Bytes of one row as a file stores it. @throws GallopError `invalid-argument` when columns do not fill blocks. */
export function fileRowBytes(format: WeightFormat, columns: number): number {
  const { blockColumns, fileBytes } = formats[format];
  requireArgument(
    Number.isInteger(columns) && columns > 0 && columns % blockColumns === 0,
    () => `a ${format} row must have a positive multiple of ${blockColumns} columns; received ${columns}`,
  );
  return (columns / blockColumns) * fileBytes;
}

/** Bytes of a packed matrix. @throws GallopError `invalid-argument` when columns do not fill blocks. */
export function weightBytes(format: WeightFormat, rows: number, columns: number): number {
  fileRowBytes(format, columns);
  const { blockColumns, panelBytes } = formats[format];
  return Math.ceil(rows / 16) * (columns / blockColumns) * panelBytes;
}

/** A matrix [rows (outputs), columns (inputs)] in panels, somewhere in backend memory that somebody else owns. */
export class Weight {
  readonly format: WeightFormat;
  readonly rows: number;
  readonly columns: number;
  readonly address: number;

  constructor(format: WeightFormat, rows: number, columns: number, address: number) {
    this.format = format;
    this.rows = rows;
    this.columns = columns;
    this.address = address;
  }

  get formatId(): number {
    return formats[this.format].id;
  }

  /** True where products with 8-bit activations are integer products. */
  get isQuantized(): boolean {
    return formats[this.format].blockColumns > 1;
  }

  get byteLength(): number {
    return weightBytes(this.format, this.rows, this.columns);
  }
}

const stagingBytes = 4 << 20;

/** Fills `into` with `count` rows from row `first`, as the file stores them. */
export type ReadRows = (first: number, count: number, into: Uint8Array<ArrayBufferLike>) => void | Promise<void>;

/**
 * Packs a matrix into panels at `address` (`weightBytes` bytes, 64-byte aligned), reading the file's rows piece by piece
 * through a bounded staging buffer.
 * @throws GallopError `invalid-argument` for shapes that the format cannot hold
 */
export async function packWeight(
  backend: Backend,
  format: WeightFormat,
  rows: number,
  columns: number,
  address: number,
  readRows: ReadRows,
): Promise<Weight> {
  const rowBytes = fileRowBytes(format, columns);
  requireArgument(Number.isInteger(rows) && rows > 0, () => `a matrix must have at least one row; received ${rows}`);
  const weight = new Weight(format, rows, columns, address);
  const rowsAtOnce = Math.max(16, Math.floor(stagingBytes / rowBytes / 16) * 16);
  const staging = backend.allocate(Math.min(rowsAtOnce, rows) * rowBytes);
  const recorder = new Recorder(backend);
  try {
    for (let first = 0; first < rows; first += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - first);
      await readRows(first, count, staging.bytes().subarray(0, count * rowBytes));
      recorder.pack(address + weightBytes(format, first, columns), staging.address, count, columns, weight.formatId);
      recorder.flush();
    }
  } finally {
    staging.free();
    recorder.dispose();
  }
  return weight;
}

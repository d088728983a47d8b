/**
 * Bytes that decoding one token must read: every weight once (of the embedding table one row, unless it also serves as
 * output matrix) and the keys and values of the rows that the token sees.
 */

import type { GgufFile } from '@gallop/formats';

const HALF_FLOAT_BYTES = 2;
const TOKEN_TABLE = 'token_embd.weight';

/** Weights as the file stores them. */
export const weightBytesPerToken = (file: GgufFile): number => {
  const hasOutput = file.tensors.some(({ name }) => name === 'output.weight');
  return file.tensors
    .map(({ name, byteLength, dimensions }) =>
      name === TOKEN_TABLE && hasOutput ? byteLength / (dimensions[1] ?? 1) : byteLength,
    )
    .reduce((sum, bytes) => sum + bytes, 0);
};

/**
 * Keys and values in 16 bits for a token that sees `rows` rows. Layers that only see a window are counted with it; where
 * a file does not say which layers do, all are, so that the figure is rather too low.
 */
export const cacheBytesPerToken = ({ metadata }: GgufFile, rows: number): number => {
  const architecture = metadata.string('general.architecture');
  const number = (key: string, fallback?: number): number => metadata.number(`${architecture}.${key}`, fallback);
  const heads = number('attention.head_count');
  const keySize = number('attention.key_length', number('embedding_length') / heads);
  const valueSize = number('attention.value_length', keySize);
  const seen = Math.min(rows, number('attention.sliding_window', Number.POSITIVE_INFINITY));
  const perRow = number('attention.head_count_kv', heads) * (keySize + valueSize) * HALF_FLOAT_BYTES;
  return number('block_count') * perRow * seen;
};

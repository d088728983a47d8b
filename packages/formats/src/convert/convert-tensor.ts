/**
 * Converts one tensor to another type, a few rows at a time, so that neither its old nor its new bytes nor its float32
 * values ever stand in memory as a whole.
 */
import { dequantize } from '../blocks/dequantize.ts';
import { quantize } from '../blocks/quantize.ts';
import type { GgmlTypeName } from '../gguf/ggml-types.ts';
import { ggmlByteLength, ggmlType } from '../gguf/ggml-types.ts';
import type { GgufFile, GgufTensor } from '../gguf/read.ts';

const VALUES_AT_ONCE = 1 << 18;

/** The tensor's bytes in another type. Checks the signal between pieces. */
export async function* convertedBytes(
  file: GgufFile,
  tensor: GgufTensor,
  type: GgmlTypeName,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const columns = tensor.dimensions[0] ?? 1;
  const rows = tensor.elements / columns;
  const rowBytes = ggmlByteLength(ggmlType(tensor.type), columns);
  const rowsAtOnce = Math.max(1, Math.floor(VALUES_AT_ONCE / columns));
  for (let row = 0; row < rows; row += rowsAtOnce) {
    signal?.throwIfAborted();
    const count = Math.min(rowsAtOnce, rows - row);
    const bytes = await file.read(tensor, { offset: row * rowBytes, length: count * rowBytes });
    yield type === tensor.type ? bytes : quantize(type, dequantize(tensor.type, bytes));
  }
}

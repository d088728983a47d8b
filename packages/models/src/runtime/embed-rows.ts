/** From the ids and embeddings of a request to what enters the first layer. */
import type { ForwardRequest } from '@gallop/core';
import type { Recorder, Tensor } from '@gallop/tensor';
import type { NetworkEnds } from './network.ts';
import { embeddedRow } from './request-checks.ts';

/** Rows [first, first + positions.length) of a request → [rows, hiddenSize]. */
export function embedRows(
  t: Recorder,
  network: Pick<NetworkEnds, 'embed' | 'enter'>,
  { ids, embeddings }: ForwardRequest,
  first: number,
  positions: Int32Array,
): Tensor {
  const rows = ids.subarray(first, first + positions.length);
  const embedded = network.embed(t, t.upload(rows.map((id) => Math.max(id, 0))));
  if (embeddings && rows.includes(embeddedRow)) {
    t.flush();
    const width = embedded.columns;
    let next = ids.subarray(0, first).filter((id) => id === embeddedRow).length;
    rows.forEach((id, row) => {
      if (id !== embeddedRow) return;
      embedded.floats().set(embeddings.subarray(next * width, (next + 1) * width), row * width);
      next++;
    });
  }
  return network.enter?.(t, embedded, t.upload(positions)) ?? embedded;
}

/** What a forward request must satisfy on any session, checked before anything is allocated or computed. */
import { type ForwardRequest, GallopError, requireArgument, type Wanted } from '@gallop/core';
import { causal, checkPattern } from './attention-pattern.ts';

/** What a request is measured against. */
export interface RequestLimits {
  readonly vocabSize: number;
  readonly layerCount: number;
  /** Positions lie below this. */
  readonly positions: number;
  /** Committed rows. */
  readonly length: number;
  /** Rows the session may hold. */
  readonly contextLength: number;
}

/** The layers a request runs. */
export function layerRange(request: ForwardRequest, layerCount: number): readonly [from: number, to: number] {
  return request.layers ?? [0, layerCount];
}

/** @throws GallopError `invalid-argument`, `context-overflow` */
export function checkRequest(request: ForwardRequest, limits: RequestLimits): void {
  const { ids, positions } = request;
  const { vocabSize, layerCount, length, contextLength } = limits;
  const rows = ids.length;
  requireArgument(rows > 0, () => 'forward takes at least one token; received none');
  if (length + rows > contextLength)
    throw new GallopError(
      'context-overflow',
      `${rows} rows after ${length} exceed the context of ${contextLength}; shorten the prompt, truncate the session or load the model with a longer context`,
    );
  for (const id of ids)
    requireArgument(id >= 0 && id < vocabSize, () => `token ids must be within 0…${vocabSize - 1}; received ${id}`);
  requireArgument(
    !positions ||
      (positions.length === rows && positions.every((position) => position >= 0 && position < limits.positions)),
    () => `positions must be ${rows} integers within 0…${limits.positions - 1}`,
  );
  const [from, to] = layerRange(request, layerCount);
  requireArgument(
    Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= layerCount,
    () => `layers must be a range within [0, ${layerCount}]; received [${from}, ${to}]`,
  );
  checkPattern(request.attention ?? causal, rows);
  checkWanted(request.want ?? {}, rows, vocabSize, layerCount);
}

function checkWanted(want: Wanted, rows: number, vocabSize: number, layerCount: number): void {
  const { logits, topK, hidden = [] } = want;
  if (logits instanceof Int32Array)
    logits.forEach((row, i) => {
      requireArgument(
        row >= 0 && row < rows && (i === 0 || row > logits[i - 1]!),
        () => `rows whose logits are wanted must ascend within 0…${rows - 1}; received ${row}`,
      );
    });
  requireArgument(
    topK === undefined || (Number.isInteger(topK) && topK >= 1 && topK <= vocabSize),
    () => `topK must be within 1…${vocabSize}; received ${topK}`,
  );
  for (const layer of hidden)
    requireArgument(
      Number.isInteger(layer) && layer >= 0 && layer <= layerCount,
      () => `hidden layers are 0…${layerCount}; received ${layer}`,
    );
}

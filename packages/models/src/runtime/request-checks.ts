/** What a forward request must satisfy on any session, checked before anything is allocated or computed. */
import { type ForwardRequest, GallopError, requireArgument, type Wanted } from '@gallop/core';
import { causal, checkPattern } from './attention-pattern.ts';

/** The id of a row whose embedding is given. */
export const embeddedRow = -1;

/** What a request is measured against. */
export interface RequestLimits {
  readonly vocabSize: number;
  readonly layerCount: number;
  readonly embeddingSize: number;
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
  const { vocabSize, length, contextLength } = limits;
  requireIntegers(ids, 'ids');
  const rows = ids.length;
  requireArgument(rows > 0, () => 'forward takes at least one token; received none');
  if (length + rows > contextLength)
    throw new GallopError(
      'context-overflow',
      `${rows} rows after ${length} exceed the context of ${contextLength}; shorten the prompt, truncate the session or load the model with a longer context`,
    );
  const given = ids.filter((id) => id === embeddedRow).length;
  const { embeddings } = request;
  for (const id of ids)
    requireArgument(
      (id >= 0 && id < vocabSize) || (id === embeddedRow && embeddings),
      () => `token ids must be within 0…${vocabSize - 1}, or −1 for a row of embeddings; received ${id}`,
    );
  requireArgument(
    (embeddings?.length ?? 0) === given * limits.embeddingSize,
    () =>
      `embeddings must be ${given} rows (one per id of −1) of ${limits.embeddingSize} numbers; received ${embeddings?.length ?? 0} numbers`,
  );
  if (positions) checkPositions(positions, rows, limits.positions);
  checkPattern(request.attention ?? causal, rows);
  const [from, to] = layerRange(request, limits.layerCount);
  requireArgument(
    Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= limits.layerCount,
    () => `layers must be a range within [0, ${limits.layerCount}]; received [${from}, ${to}]`,
  );
  checkWanted(request.want ?? {}, rows, vocabSize, from, to);
}

/** @throws GallopError `invalid-argument` unless the value is an Int32Array, which holds integers only */
export function requireIntegers(value: Int32Array, name: string): void {
  requireArgument(
    value instanceof Int32Array,
    () => `${name} must be an Int32Array; received ${Object.prototype.toString.call(value)}`,
  );
}

function checkPositions(positions: Int32Array, rows: number, limit: number): void {
  requireIntegers(positions, 'positions');
  requireArgument(
    positions.length === rows && positions.every((position) => position >= 0 && position < limit),
    () => `positions must be ${rows} integers within 0…${limit - 1}; received ${shown(positions)}`,
  );
}

const shown = (values: Int32Array): string =>
  `${values.length} (${values.subarray(0, 8).join(', ')}${values.length > 8 ? ', …' : ''})`;

function checkWanted(want: Wanted, rows: number, vocabSize: number, from: number, to: number): void {
  const { logits, topK, hidden = [] } = want;
  if (typeof logits === 'object') {
    requireIntegers(logits, 'want.logits');
    requireArgument(
      logits.every((row, i) => row >= 0 && row < rows && (i === 0 || row > logits[i - 1]!)),
      () => `rows whose logits are wanted must ascend within 0…${rows - 1}; received ${shown(logits)}`,
    );
  } else
    requireArgument(
      logits === undefined || logits === 'last' || logits === 'all',
      () => `want.logits must be last, all or rows; received ${logits}`,
    );
  requireArgument(
    topK === undefined || (Number.isInteger(topK) && topK >= 1 && topK <= vocabSize),
    () => `topK must be within 1…${vocabSize}; received ${topK}`,
  );
  for (const layer of hidden)
    requireArgument(
      Number.isInteger(layer) && layer >= from && layer <= to,
      () => `hidden states of this call are those after ${from}…${to} layers; received ${layer}`,
    );
}

/**
 * A sequence in progress on a recurrent network. The state cannot drop rows, so a session keeps its rows as a log, and
 * states after some of them: `commit` of some rows of a call and `truncate` go back to an earlier state, and the next
 * call first replays the rows since then. A call whose rows are all committed in sequence leaves nothing to replay.
 */
import {
  type AttentionPattern,
  type ForwardRequest,
  type ForwardResult,
  GallopError,
  requireArgument,
  type Session,
  type StateBytes,
} from '@gallop/core';
import type { Memory } from '@gallop/tensor';
import { causal, checkKeptRows } from './attention-pattern.ts';
import { embedRows } from './embed-rows.ts';
import type { RecurrentNetwork } from './network.ts';
import { recurrentContexts, treeLevels } from './recurrent-context.ts';
import { Checkpoints, StateLayout } from './recurrent-state.ts';
import { layerRange } from './request-checks.ts';
import { ResultCollector } from './result-collector.ts';
import { RowLog } from './row-log.ts';
import { chunkRows, SessionBase, type SessionHost } from './session-base.ts';

/** Rows of the last call, waiting to be committed. */
interface Pending {
  readonly rows: ForwardRequest;
  readonly pattern: AttentionPattern;
  /** The state after all rows, of a call in sequence. */
  readonly memory: Memory | undefined;
}

interface Inheritance {
  readonly log: RowLog;
  readonly checkpoints: Checkpoints;
}

export class RecurrentSession extends SessionBase<RecurrentNetwork> {
  readonly #layout: StateLayout;
  readonly #log: RowLog;
  readonly #checkpoints: Checkpoints;
  #pending: Pending | undefined;

  constructor(host: SessionHost<RecurrentNetwork>, inherited?: Inheritance) {
    super(host);
    const { network, backend } = host;
    this.#layout = new StateLayout(network);
    this.#log = inherited?.log ?? new RowLog(network.config.embeddingSize ?? network.config.hiddenSize);
    this.#checkpoints = inherited?.checkpoints ?? new Checkpoints(backend, this.#layout.byteLength);
    this.open();
  }

  get length(): number {
    return this.#log.length;
  }

  commit(rows: Int32Array): void {
    this.requireIdle();
    const pending = this.#pending;
    if (!pending) throw new GallopError('invalid-state', 'commit keeps rows of the last forward call; there is none');
    const { pattern, memory } = pending;
    const { length } = pending.rows.ids;
    checkKeptRows(pattern, rows, length);
    this.#log.append(pending.rows, rows);
    this.#pending = undefined;
    if (memory && rows.length === length) this.#checkpoints.push(this.length, memory);
    else memory?.free();
  }

  truncate(length: number): void {
    this.checkTruncation(length);
    this.#log.truncate(length);
    this.#checkpoints.truncate(length);
    this.#dropPending();
  }

  fork(): Session {
    this.requireIdle();
    const { backend } = this.host;
    const checkpoints = new Checkpoints(backend, this.#layout.byteLength, this.#checkpoints.kept);
    return new RecurrentSession(this.host, { log: this.#log.copy(), checkpoints });
  }

  bytes(): StateBytes {
    const kept = this.#checkpoints.kept.length;
    const used = kept * this.#layout.byteLength + this.#log.byteLength;
    return { used, reserved: used + (this.#pending?.memory?.byteLength ?? 0) };
  }

  protected override release(): void {
    this.#dropPending();
    this.#log.truncate(0);
    this.#checkpoints.dispose();
  }

  protected override begin(request: ForwardRequest): () => Promise<ForwardResult> {
    this.check(request);
    const { network } = this.host;
    const [from, to] = layerRange(request, network.config.layerCount);
    if (from !== 0 || to !== network.config.layerCount)
      throw new GallopError(
        'unsupported',
        `a recurrent network runs all ${network.config.layerCount} layers at once; received [${from}, ${to}]; leave layers out (capabilities.layerRange is false)`,
      );
    const pattern = asTree(request.attention ?? causal, request.ids.length);
    const collector = new ResultCollector(network, request.want ?? {}, request.ids.length);
    this.#dropPending();
    return () => this.#run(request, pattern, collector);
  }

  async #run(request: ForwardRequest, pattern: AttentionPattern, collector: ResultCollector): Promise<ForwardResult> {
    await this.#catchUp(request.signal);
    const memory = this.#checkpoints.working();
    try {
      if (pattern.kind === 'tree') this.#pass(request, 0, request.ids.length, memory, collector, pattern.parents);
      else await this.#sequence(request, memory, request.signal, collector);
    } catch (error) {
      memory.free();
      throw error;
    }
    const inSequence = pattern.kind !== 'tree';
    if (!inSequence) memory.free();
    const { ids, embeddings } = request;
    const rows = { ids: ids.slice(), ...(embeddings && { embeddings: embeddings.slice() }) };
    this.#pending = { rows, pattern, memory: inSequence ? memory : undefined };
    return collector.result();
  }

  /** Replays committed rows that the newest state has not seen. */
  async #catchUp(signal: AbortSignal | undefined): Promise<void> {
    const missing = this.#log.rows(this.#checkpoints.length);
    if (missing.ids.length === 0) return;
    const memory = this.#checkpoints.working();
    try {
      await this.#sequence(missing, memory, signal);
    } catch (error) {
      memory.free();
      throw error;
    }
    this.#checkpoints.push(this.length, memory);
  }

  async #sequence(
    rows: ForwardRequest,
    memory: Memory,
    signal: AbortSignal | undefined,
    collector?: ResultCollector,
  ): Promise<void> {
    for (let first = 0; first < rows.ids.length; first += chunkRows) {
      if (first > 0) await this.breathe(signal);
      this.#pass(rows, first, Math.min(chunkRows, rows.ids.length - first), memory, collector);
    }
  }

  /** Takes rows [first, first + count) through all layers, from the state in `memory`. */
  #pass(
    rows: ForwardRequest,
    first: number,
    count: number,
    memory: Memory,
    collector?: ResultCollector,
    parents?: Int32Array,
  ): void {
    const t = this.recorder;
    const { network, options } = this.host;
    const { layerCount } = network.config;
    t.scope(() => {
      const x = embedRows(t, network, rows, first, new Int32Array(count));
      collector?.layer(t, 0, x, first);
      const context = recurrentContexts(t, {
        activations: options.activations,
        layout: this.#layout,
        memory,
        levels: parents && treeLevels(parents),
      });
      for (let layer = 0; layer < layerCount; layer++) {
        network.layer(t, layer, x, context(layer));
        collector?.layer(t, layer + 1, x, first);
      }
      collector?.head(t, x, first, layerCount);
      if (collector) collector.flush(t);
      else t.flush();
    });
  }

  #dropPending(): void {
    this.#pending?.memory?.free();
    this.#pending = undefined;
  }
}

/**
 * Rows of a recurrence have one predecessor each: patterns that say so become a tree.
 * @throws GallopError `unsupported` for a pattern in which rows see other rows than a path of predecessors
 */
function asTree(pattern: AttentionPattern, rows: number): AttentionPattern {
  if (pattern.kind === 'causal' || pattern.kind === 'tree') return pattern;
  if (pattern.kind === 'bitmask') {
    const seen = (row: number, other: number): boolean => other === row || pattern.rows[row * rows + other] !== 0;
    const parents = new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      let parent = row - 1;
      while (parent >= 0 && !seen(row, parent)) parent--;
      parents[row] = parent;
      for (let other = 0; other < parent; other++) requirePath(seen(row, other) === seen(parent, other), row);
    }
    return { kind: 'tree', parents };
  }
  throw new GallopError(
    'unsupported',
    'a recurrent network computes rows from the rows before them; attention must be causal or a tree (capabilities.bidirectional is false)',
  );
}

function requirePath(isPath: boolean, row: number): void {
  requireArgument(
    isPath,
    () =>
      `a recurrent network needs each row to see one path of rows; row ${row} sees others than its predecessor does`,
  );
}

/**
 * The narrow waist: what a decoding method may ask of a model. A method never sees a backend, a weight or a concrete
 * network; a model never sees a method. Anything that can fill these interfaces (a GGUF network of this project, an
 * ONNX session, a llama.cpp context, a table of probabilities) can be driven by every method its capabilities allow.
 *
 * Three numbers that must not be confused: a *slot* is a row of the cache, a *position* is what the network's position
 * encoding sees, and the *call order* is the index of a row inside one `forward` request.
 */

/** What a model can do beyond plain causal decoding. */
export interface Capabilities {
  /** Several branches in one call (`attention.kind === 'tree'` or `'bitmask'`). */
  readonly treeAttention: boolean;
  /** `commit` may drop rows and `truncate` may shorten the state. */
  readonly rewind: boolean;
  /** Every row sees every other (`attention.kind === 'full'`). */
  readonly bidirectional: boolean;
  /** Hidden states of chosen layers can be returned. */
  readonly hidden: boolean;
  /** A call can run a range of layers only (early exit). */
  readonly layerRange: boolean;
  /** Rows can be given as embeddings instead of ids. Default false. */
  readonly embeddings?: boolean;
}

/** Ids of tokens with a meaning of their own. */
export interface SpecialTokens {
  readonly beginOfSequence?: number;
  /** Any of these ends a generation. */
  readonly endOfGeneration: ReadonlySet<number>;
  readonly mask?: number;
}

/** Which earlier rows a row of this call sees. All kinds see every committed row (subject to a layer's window). */
export type AttentionPattern =
  /** Row i sees rows 0…i of the call. The default. */
  | { readonly kind: 'causal' }
  /** Every row sees every row of the call. */
  | { readonly kind: 'full' }
  /** Row i sees itself and its ancestors; `parents[i] < i`, −1 = child of the last committed row. */
  | { readonly kind: 'tree'; readonly parents: Int32Array }
  /** Row i sees row j of the call when `rows[i * length + j]` is 1. */
  | { readonly kind: 'bitmask'; readonly rows: Uint8Array };

/** What a call should return. */
export interface Wanted {
  /** Rows whose logits are wanted: the last, all, or these. Default none. */
  readonly logits?: 'last' | 'all' | Int32Array;
  /** Return only the k best tokens and their logits of those rows instead of whole rows (far cheaper to read back). */
  readonly topK?: number;
  /** Hidden states after these layers (0 = the embeddings, layerCount = after the final norm). */
  readonly hidden?: readonly number[];
}

export interface ForwardRequest {
  /** Token ids of the L new rows; −1 where the row's embedding is given instead. */
  readonly ids: Int32Array;
  /**
   * Embeddings of the rows whose id is −1, in order: [rows × width of the model's embeddings], as the model's own would
   * be (scaled, without positions). Image features enter a language model this way.
   */
  readonly embeddings?: Float32Array;
  /** Position of each row. Default: state length + depth of the row (its index for causal and full). */
  readonly positions?: Int32Array;
  readonly attention?: AttentionPattern;
  /** Run layers [from, to) only. `from > 0` resumes from the rows that the previous call left there. */
  readonly layers?: readonly [from: number, to: number];
  readonly want?: Wanted;
  /** Cancels between chunks of rows; the call rejects with `signal.reason` and leaves the state as it was. */
  readonly signal?: AbortSignal;
}

export interface ForwardResult {
  /** Logits [rows wanted × vocabSize], when `topK` was not given. Valid until the next call on the session. */
  readonly logits?: Float32Array;
  /** Best tokens [rows wanted × topK], best first, ties to the smaller id. */
  readonly topTokens?: Int32Array;
  readonly topLogits?: Float32Array;
  /** Hidden states [L × width] by requested layer. */
  readonly hidden?: ReadonlyMap<number, Float32Array>;
}

/** What a state occupies. */
export interface StateBytes {
  /** Bytes of the committed rows. */
  readonly used: number;
  /** Bytes held, growth room included. */
  readonly reserved: number;
}

/**
 * A sequence in progress. `forward` computes rows without deciding about them; `commit` keeps some, in ascending
 * order, and drops the rest. Between steps of a speculative loop the state holds one row less than the committed
 * tokens (the pending root): each step feeds the root plus its tree and commits accepted + 1.
 */
export interface Session extends AsyncDisposable {
  /** Committed rows. */
  readonly length: number;
  forward(request: ForwardRequest): Promise<ForwardResult>;
  /** Keeps these rows of the last call (call order, ascending; each one's parent kept too) and drops the others. */
  commit(rows: Int32Array): void;
  /** Shortens the committed state. */
  truncate(length: number): void;
  /** A session that shares the committed rows and goes its own way from there. */
  fork(): Session;
  bytes(): StateBytes;
  dispose(): void;
}

export interface LanguageModel {
  readonly vocabSize: number;
  readonly layerCount: number;
  readonly hiddenSize: number;
  /** Rows a session may hold at most. */
  readonly contextLength: number;
  readonly capabilities: Capabilities;
  readonly tokens: SpecialTokens;
  /** Whether the logits of a row are about the next position or about the row itself (masked diffusion). */
  readonly logitAlignment: 'next' | 'same';
  openSession(): Session;
  dispose(): void;
}

/** A loaded model, and what a caller may ask of loading. */

import type { TextModel } from '../text-model.ts';
import type { BackendChoice, BackendName } from './select-backend.ts';

/** How far loading has come. */
export interface LoadProgress {
  /** `download`: from the hub into the cache; `load`: from the file to the backend. */
  readonly phase: 'download' | 'load';
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

/** How to load. */
export interface LoadModelOptions extends BackendChoice {
  /**
   * What weights are multiplied with: `q8`, activations rounded to 8-bit blocks (fast), or `f32` (as the weights say).
   * Both give the same bits however rows are batched. Default `q8`.
   */
  readonly activations?: 'q8' | 'f32';
  /** Longest sequence in tokens; at most the model's own. Default: the model's own. */
  readonly contextLength?: number;
  /** Cancels loading, which then rejects with `signal.reason`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** A model ready to generate. Free it with `dispose()` or `using`. */
export interface Model extends TextModel, Disposable {
  readonly backend: BackendName;
  /** Threads that compute. */
  readonly threads: number;
  /** Whether conversations can be given as prompts. */
  readonly hasChatTemplate: boolean;
  /** Frees weights, states and threads. */
  dispose(): void;
}

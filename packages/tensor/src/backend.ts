/**
 * What computes. A backend owns memory outside the JavaScript heap (or, for the reference, inside it) and runs recorded
 * command lists. It knows nothing of tensors, models or methods.
 */

/** A block of backend memory, zero-filled and aligned to 64 bytes. */
export interface Memory {
  /** Where the block starts in the backend's address space: an operand of commands. */
  readonly address: number;
  readonly byteLength: number;
  /** The bytes as the host sees them. Ask again after every allocation: a growing wasm memory moves its view. */
  bytes(): Uint8Array<ArrayBufferLike>;
  free(): void;
}

/** Recorded commands, ready to run. */
export interface CommandList {
  readonly words: Float64Array;
  readonly length: number;
  readonly commandCount: number;
  /** Floats of scratch that each thread needs. */
  readonly scratchFloats: number;
}

export interface Backend {
  readonly name: 'native' | 'wasm' | 'reference';
  /** The instruction set in use, e.g. `avx512vnni`. */
  readonly variant: string;
  readonly threads: number;
  /** @throws GallopError `out-of-memory` */
  allocate(byteLength: number): Memory;
  /** Runs the commands in order and returns when all are done. */
  execute(list: CommandList): void;
  dispose(): void;
}

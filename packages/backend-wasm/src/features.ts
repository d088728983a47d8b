/**
 * Asks the engine what WebAssembly it understands, by validating modules of a few bytes. Each holds one function of
 * the instruction in question, on zeroes.
 */

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const functionSection = [3, 2, 1, 0];

/** A module with one function `() -> v128` of this body. */
function vectorModule(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b];
  return new Uint8Array([
    ...header,
    ...[1, 5, 1, 0x60, 0, 1, 0x7b],
    ...functionSection,
    ...[10, code.length + 2, 1, code.length, ...code],
  ]);
}

const zeroVector = [0xfd, 12, ...Array<number>(16).fill(0)];

/** i32x4.relaxed_dot_i8x16_i7x16_add is 0xfd, then 0x113 in LEB128. */
export function supportsRelaxedSimd(): boolean {
  return WebAssembly.validate(vectorModule([...zeroVector, ...zeroVector, ...zeroVector, 0xfd, 0x93, 0x02]));
}

export function supportsSimd(): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(vectorModule(zeroVector));
}

/** Shared memory: the engine must know atomics, and the page must be allowed to share (cross-origin isolated). */
export function supportsThreads(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  const sharedMemory = [5, 4, 1, 3, 1, 1];
  const load = [0, 0x41, 0, 0xfe, 0x10, 2, 0, 0x0b]; // i32.atomic.load
  const code = [10, load.length + 2, 1, load.length, ...load];
  const type = [1, 5, 1, 0x60, 0, 1, 0x7f];
  return WebAssembly.validate(new Uint8Array([...header, ...type, ...functionSection, ...sharedMemory, ...code]));
}

/** Whether this thread may block on shared memory: never true on a browser's main thread. */
export function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}

/** What a helper thread is; one module for Node and one for browsers starts them (`#platform`). */

/** What a helper thread is started with. */
export interface HelperStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** 1… */
  readonly thread: number;
  /** The end of its stack: stacks grow downwards. */
  readonly stackTop: number;
}

export interface Helper {
  /** Ends the thread, whatever it does. */
  terminate(): void;
}

/**
 * The program of a helper thread, as text: it must start from a bundle, from sources and from a page alike.
 * It calls `ready()` once and then serves until it is ended.
 */
export const helperProgram = `
function serve({ module, memory, thread, stackTop }, ready) {
  const pause = (address, seen) =>
    void Atomics.wait(new Int32Array(memory.buffer), address >>> 2, seen, 0.05);
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, host: { pause, now: () => performance.now() } });
  exports.__stack_pointer.value = stackTop;
  ready();
  exports.help(thread);
}`;

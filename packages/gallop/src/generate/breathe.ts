/**
 * Lets the event loop breathe. Decoding can run for seconds in microtasks alone, and then no timer, no input and no
 * Ctrl-C would be served; so every few milliseconds it waits for one macrotask.
 */

const INTERVAL_MILLISECONDS = 10;

/** Waits for one turn of the event loop: `setImmediate` where there is one, else a message to itself. */
const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof globalThis.setImmediate === 'function') {
      globalThis.setImmediate(resolve);
      return;
    }
    const channel = new MessageChannel();
    const settle = (): void => {
      channel.port1.close();
      resolve();
    };
    channel.port1.addEventListener('message', settle, { once: true });
    channel.port1.start();
    channel.port2.postMessage(undefined);
  });

/** Returns a function to await in a loop; it yields when 10 ms have passed since the last time it did. */
export const breather = (): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < INTERVAL_MILLISECONDS) return;
    await nextTurn();
    last = performance.now();
  };
};

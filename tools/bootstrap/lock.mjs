// A lock between processes, so that two commands started at once in a bare clone do not install over each other. The
// lock is a file that holds its owner's process id; a lock whose owner is gone is taken over.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const ownerOf = (file) => {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
};

const tryToTake = (file) => {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
};

const pause = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);

/** Waits until the lock is ours; says once what it waits for. */
const take = (file) => {
  let waits = 0;
  while (!tryToTake(file)) {
    const owner = ownerOf(file);
    if (++waits === 10) process.stderr.write(`[setup] waiting for process ${owner}, which holds ${file}\n`);
    pause(100);
    // The owner writes its id right after creating the file, so an empty lock gets a second look before it is stale.
    if (owner === ownerOf(file) && (owner === undefined || !isAlive(owner))) rmSync(file, { force: true });
  }
};

/** Runs `action` while holding the lock; waits (for as long as it takes) while another living process holds it. */
export const withLock = (file, action) => {
  mkdirSync(path.dirname(file), { recursive: true });
  take(file);
  try {
    return action();
  } finally {
    rmSync(file, { force: true });
  }
};

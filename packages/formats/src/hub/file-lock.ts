/**
 * A lock file that lets one process at a time write a download. Its holder renews it; a lock whose process is gone (same
 * machine) or that has not been renewed for a minute (any machine) was left by a crash and is taken over.
 */
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const STALE_MILLISECONDS = 60_000;
const RENEW_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 100;

/** Runs `work` while holding the lock file; waits for another holder to finish first. */
export async function withFileLock<Result>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  while (!(await tryLock(path))) {
    if (await isStale(path)) await takeAway(path);
    else await delay(POLL_MILLISECONDS, undefined, signal && { signal });
  }
  const renewal = setInterval(() => {
    const now = new Date();
    // A lock taken over meanwhile has nothing to renew.
    utimes(path, now, now).catch(() => {});
  }, RENEW_MILLISECONDS);
  renewal.unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid} ${hostname()}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    if (Date.now() - mtimeMs > STALE_MILLISECONDS) return true;
    const [processId, host] = text.split(' ');
    return host === hostname() && !isRunning(Number(processId));
  } catch {
    return false; // released meanwhile
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes a stale lock by renaming it, which only one of several waiting processes can do. */
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
    await rm(aside, { force: true });
  } catch {
    // Another process was faster.
  }
}

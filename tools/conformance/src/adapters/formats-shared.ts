/** What the adapters of both containers share: files given as base64, and whether a reader accepts them. */
import { GallopError } from '@gallop/core';
import { type ByteSource, memorySource } from '@gallop/formats';

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** "ok" or "error" for each file; an error that is not of the project's class is a failure of the case. */
export async function outcomeOf(
  filesBase64: readonly string[],
  open: (source: ByteSource) => Promise<unknown>,
): Promise<string[]> {
  const outcomes: string[] = [];
  for (const file of filesBase64) {
    try {
      await open(memorySource(fromBase64(file)));
      outcomes.push('ok');
    } catch (error) {
      if (!GallopError.isInstance(error, 'invalid-file')) throw error;
      outcomes.push('error');
    }
  }
  return outcomes;
}

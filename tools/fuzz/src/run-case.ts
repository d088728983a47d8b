/** Runs one case and judges it: a value, a refusal by GallopError, or a finding. */
import { GallopError } from '@gallop/core';
import type { FuzzInput, FuzzTarget } from './target.ts';

/** Array buffers that a case may leave behind, besides a multiple of its input. */
const MOST_BYTES = 128 * 2 ** 20;

export type Verdict = { readonly kind: 'value' | 'refused' } | { readonly kind: 'finding'; readonly what: string };

function inputBytes(input: FuzzInput): number {
  return input instanceof Uint8Array ? input.length : JSON.stringify(input).length;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
}

/** A GallopError must say something; any other error is a finding. */
function judgeError(error: unknown): Verdict {
  if (!GallopError.isInstance(error)) return { kind: 'finding', what: describe(error) };
  return error.message.length > 20
    ? { kind: 'refused' }
    : { kind: 'finding', what: `a GallopError without explanation: ${error.message}` };
}

export async function runCase<Input extends FuzzInput>(target: FuzzTarget<Input>, input: Input): Promise<Verdict> {
  const before = process.memoryUsage().arrayBuffers;
  let verdict: Verdict;
  try {
    await target.run(input);
    verdict = { kind: 'value' };
  } catch (error) {
    verdict = judgeError(error);
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  if (verdict.kind === 'finding' || grown <= MOST_BYTES + 64 * inputBytes(input)) return verdict;
  return {
    kind: 'finding',
    what: `${Math.round(grown / 2 ** 20)} MiB of array buffers for an input of ${inputBytes(input)} bytes`,
  };
}

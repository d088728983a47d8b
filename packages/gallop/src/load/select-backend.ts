/**
 * Which backend computes. `auto` takes the native one where its library loads and wasm elsewhere, and says so in one
 * line; a backend that was named is used or refused, never replaced.
 */

import { GallopError, requireArgument } from '@gallop/core';
import type { Backend } from '@gallop/tensor';

export type BackendName = 'native' | 'wasm' | 'reference';

const NAMES: readonly string[] = ['native', 'wasm', 'reference'];

/** Makes a backend, or throws `backend-unavailable`. */
export type BackendFactory = (options: { readonly threads?: number }) => Promise<Backend>;

export interface BackendChoice {
  /** Default `auto`. */
  readonly backend?: BackendName | 'auto';
  /** Threads to compute with, ≥ 1. Default: the backend's choice. */
  readonly threads?: number;
  /** Told in one line why `auto` did not take the native backend. */
  readonly onWarning?: (line: string) => void;
}

/**
 * @param forced the value of GALLOP_BACKEND: replaces `auto`
 * @throws GallopError `invalid-argument` for an unknown name or thread count, `backend-unavailable` from the factory
 */
export const selectBackend = async (
  { backend = 'auto', threads, onWarning }: BackendChoice,
  factories: Readonly<Record<BackendName, BackendFactory>>,
  forced: string | undefined,
): Promise<Backend> => {
  const wanted = backend === 'auto' ? forced || 'auto' : backend;
  requireArgument(wanted === 'auto' || NAMES.includes(wanted), () => {
    const where = wanted === forced ? 'in the environment variable GALLOP_BACKEND' : 'as backend';
    return `Expected auto, ${NAMES.join(', ')} ${where}; received "${wanted}"; name one of these.`;
  });
  requireArgument(threads === undefined || (Number.isSafeInteger(threads) && threads >= 1), () => {
    return `Expected threads to be a whole number from 1; received ${threads}; correct it or leave it out.`;
  });
  const options = threads === undefined ? {} : { threads };
  if (wanted !== 'auto') return factories[wanted as BackendName](options);
  try {
    return await factories.native(options);
  } catch (error) {
    if (!GallopError.isInstance(error, 'backend-unavailable')) throw error;
    onWarning?.(`using the wasm backend, because the native one is not available: ${error.message}`);
    return factories.wasm(options);
  }
};

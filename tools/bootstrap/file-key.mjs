// A key of the contents of a set of files: it changes exactly when a name or a byte does.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** All files below a folder, as full paths, leaving out folders with one of the given names. */
export const listFiles = (folder, leftOut) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return leftOut.has(entry.name) ? [] : listFiles(full, leftOut);
    return entry.isFile() ? [full] : [];
  });

/** SHA-256 over the names (relative to `base`) and contents of the files, in the order of their names. */
export const hashFiles = (base, files) => {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const contents = readFileSync(file);
    hash.update(`${path.relative(base, file)}\0${contents.length}\0`).update(contents);
  }
  return hash.digest('hex');
};

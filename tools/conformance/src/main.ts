/**
 * The command `conformance FOLDER...`: runs the golden cases of folders or single files; exit status 1 on any failure and
 * 2 when nothing was given or found.
 */
import { existsSync } from 'node:fs';
import { runFolders } from './runner.ts';

const folders = process.argv.slice(2);
const missing = folders.filter((folder) => !existsSync(folder));
if (folders.length === 0 || missing.length > 0) {
  console.error(
    folders.length === 0
      ? 'Expected folders of golden cases; received none. Usage: conformance FOLDER...'
      : `Expected existing folders; there is no ${missing.join(', ')}. Check the path.`,
  );
  process.exitCode = 2;
} else {
  const totals = await runFolders(folders, (line) => console.log(line));
  if (totals.failed > 0) process.exitCode = 1;
}

// `npm test`: sets everything up, runs every test, and ends with one plain line that says how many passed. Arguments go
// to vitest: `npm test -- packages/core`.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runAsProgram, runChild } from './child.mjs';
import { root, setUp } from './setup.mjs';
import { closingLine, countTests } from './test-summary.mjs';

const readReport = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { testResults: [] };
  }
};

await runAsProgram(async () => {
  const { node, environment } = setUp({ kernels: true });
  const folder = mkdtempSync(path.join(tmpdir(), 'gallop-test-'));
  const report = path.join(folder, 'report.json');
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = await runChild(node, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
    cwd: root,
    env: environment,
  });
  const counts = countTests(readReport(report), status);
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${closingLine(counts)}\n`);
  return status;
});

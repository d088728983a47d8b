/** Runs every case that is copied into this repository; a case over a real file that is absent counts as skipped. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runFolders } from './runner.ts';

test('the copied golden cases agree', async () => {
  const lines: string[] = [];
  const totals = await runFolders([fileURLToPath(new URL('../cases', import.meta.url))], (line) => lines.push(line));
  const wrong = lines.filter((line) => line.startsWith('FAIL') || line.startsWith('unknown'));
  expect(wrong).toEqual([]);
  expect(totals.passed).toBeGreaterThan(140);
});

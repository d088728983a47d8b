/** A short run of every target, and the fuzzer itself on targets with known faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { Random } from './random.ts';
import { readReproducer } from './reproducer.ts';
import { runCase } from './run-case.ts';
import { targets } from './targets/index.ts';
import { targets as misbehaving } from './testing/misbehaving.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'gallop-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(targets)('$name: cases of a fixed seed give values or refusals', async (target) => {
  const counts = { value: 0, refused: 0 };
  const end = Date.now() + 1500;
  for (let number = 0; number < 400 && Date.now() < end; number++) {
    const input = target.generate(new Random(20_261_124, number));
    const verdict = await runCase(target, input);
    if (verdict.kind === 'finding')
      throw new Error(`case ${number}: ${verdict.what}\n${JSON.stringify(input).slice(0, 2000)}`);
    counts[verdict.kind]++;
  }
  expect(counts.value).toBeGreaterThan(5);
});

const module = new URL('./testing/misbehaving.ts', import.meta.url).href;
const faults = { seed: 1, milliseconds: 20_000, folder, module, caseMilliseconds: 500, report: () => {} };

test.each([
  ['throws', 12, /undefined is not a function/],
  ['hangs', 1, /more than 500 ms/],
  ['allocates', 1, /MiB of array buffers/],
] as const)('a target that %s is found, and its reproducer shows it', async (name, cases, message) => {
  const [target] = misbehaving.filter((one) => one.name === name);
  const [result] = await runCampaign({ ...faults, targets: [target], cases });
  expect(result.findings.length).toBeGreaterThan(0);
  expect(result.findings[0].what).toMatch(message);
  const again = readReproducer(result.findings[0].file);
  expect(again.target).toBe(name);
  if (name === 'throws') expect(await runCase(target, again.input)).toMatchObject({ kind: 'finding' });
});

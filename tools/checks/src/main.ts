/** `check [arrows] [text] [packages]`: runs the named checks (all without a name); status 1 when one finds a problem. */

import path from 'node:path';
import { checkArrows } from './arrows.ts';
import { checkPackages } from './packages.ts';
import { checkText } from './text.ts';
import type { Findings } from './workspace.ts';

const checks: Readonly<Record<string, (root: string) => Findings | Promise<Findings>>> = {
  arrows: checkArrows,
  text: checkText,
  packages: checkPackages,
};

const root = path.resolve(import.meta.dirname, '../../..');
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
for (const name of names) {
  const check = checks[name];
  if (check === undefined) {
    console.error(`expected checks among ${Object.keys(checks).join(', ')}; received ${name}`);
    process.exit(2);
  }
  const { problems, warnings } = await check(root);
  for (const warning of warnings) console.log(`warning: ${warning}`);
  for (const problem of problems) console.log(`FAIL: ${problem}`);
  console.log(`${name}: ${problems.length === 0 ? 'ok' : `${problems.length} problems`}`);
  if (problems.length > 0) process.exitCode = 1;
}

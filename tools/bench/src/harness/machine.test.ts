import os from 'node:os';
import { expect, test } from 'vitest';
import { describeMachine, machineLine, parseProcessorFields } from './machine.ts';

test('fields of the first processor', () => {
  const fields = parseProcessorFields('processor\t: 0\nmodel name\t: One: fast\n\nprocessor\t: 1\nmodel name\t: Two\n');
  expect([...fields]).toEqual([
    ['processor', '0'],
    ['model name', 'One: fast'],
  ]);
  expect(parseProcessorFields('').size).toBe(0);
});

test('this machine is named with cores, memory and Node', () => {
  const machine = describeMachine();
  expect(machine.cores).toBe(os.availableParallelism());
  expect(machineLine({ ...machine, load: 0 })).toMatch(/cores, \d+ GiB, .*Node \d+\.\d+\.\d+$/);
});

test('a busy machine is told', () => {
  expect(machineLine({ ...describeMachine(), load: 1.5 })).toMatch(/busy .*load 1\.5 per core/);
});

/** The machine and the program versions that figures belong to. A figure without them means nothing. */

import { readFileSync } from 'node:fs';
import os from 'node:os';

export interface Machine {
  /** Processor, with family and model numbers where the system tells them. */
  readonly processor: string;
  /** Threads that run at once. */
  readonly cores: number;
  readonly memoryGibibytes: number;
  /** Instruction sets that decide which kernels run. */
  readonly instructions: readonly string[];
  readonly system: string;
  readonly node: string;
  /** Programs that wanted to run per core in the minute before: a busy machine gives poor figures. Absent on Windows. */
  readonly load?: number;
}

const TELLING = ['avx2', 'avx512_vnni', 'avx_vnni', 'avx512_bf16', 'amx_int8', 'asimddp', 'i8mm'];

/** Fields of the first processor in /proc/cpuinfo; none elsewhere. */
export const parseProcessorFields = (text: string): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim();
    if (at > 0 && !fields.has(name)) fields.set(name, line.slice(at + 1).trim());
  }
  return fields;
};

const processorText = (): string => {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
};

const IDLE_LOAD = 0.25;

/** Describes this machine as it is before a measurement. */
export const describeMachine = (): Machine => {
  const fields = parseProcessorFields(processorText());
  const flags = new Set((fields.get('flags') ?? fields.get('Features') ?? '').split(' '));
  const numbers = [fields.get('cpu family'), fields.get('model')];
  const detail = numbers.every((number) => number !== undefined) ? ` (family ${numbers.join(', model ')})` : '';
  const cores = os.availableParallelism();
  return {
    processor: `${os.cpus()[0]?.model.trim() ?? os.arch()}${detail}`,
    cores,
    memoryGibibytes: Math.round(os.totalmem() / 2 ** 30),
    instructions: TELLING.filter((name) => flags.has(name)),
    system: `${os.platform()} ${os.arch()}`,
    node: process.version,
    ...(os.platform() !== 'win32' && { load: os.loadavg()[0] / cores }),
  };
};

/** One line about a machine. */
export const machineLine = (machine: Machine): string =>
  [
    machine.processor,
    `${machine.cores} cores`,
    `${machine.memoryGibibytes} GiB`,
    ...(machine.instructions.length > 0 ? [machine.instructions.join(' ')] : []),
    machine.system,
    `Node ${machine.node.slice(1)}`,
    ...(machine.load !== undefined && machine.load > IDLE_LOAD
      ? [`busy with other programs at the start (load ${machine.load.toFixed(1)} per core): take the figures with care`]
      : []),
  ].join(', ');

/**
 * The reference backend: plain, slow, obvious TypeScript that runs command lists one number at a time, with one float32
 * rounding for each operation that a command's definition writes down. Compiled kernels must give the same bits.
 */
import { GallopError, requireArgument } from '@gallop/core';
import type { Backend, CommandList, Memory } from '../backend.ts';
import { type OperationName, opcodes } from '../opcodes.ts';
import { quantize } from './activations.ts';
import { AddressSpace } from './address-space.ts';
import { attention } from './attention.ts';
import { convert, integerProduct, quantizeRows } from './integer.ts';
import { copy, fold, gather, scatter, unfold } from './layout.ts';
import { linear } from './linear.ts';
import { map } from './map.ts';
import { matmul } from './matmul.ts';
import { cacheMove, cacheWrite } from './paged-cache.ts';
import { cumulative, extremeIndex, normalise, reduce, softmax, sort } from './reduce.ts';
import { addValues, copyRows, gated, rmsNorm, rope, softcap, topK } from './rows.ts';
import { scan, scanGradient } from './scan.ts';
import { embed, pack } from './weight-rows.ts';

/** Takes its operands in the order that `opcodes` lists them. */
type Command = (memory: AddressSpace, ...operands: number[]) => void;

const commands: Readonly<Record<OperationName, Command>> = {
  pack,
  embed,
  rmsNorm,
  quantize,
  linear,
  rope,
  cacheWrite,
  cacheMove,
  attention,
  gated,
  add: addValues,
  softcap,
  topK,
  copyRows,
  map,
  copy,
  gather,
  scatter,
  unfold,
  fold,
  reduce,
  extremeIndex,
  cumulative,
  softmax,
  normalise,
  sort,
  matmul,
  scan,
  scanGradient,
  quantizeRows,
  integerProduct,
  convert,
};

const commandsByCode: ReadonlyMap<number, Command> = new Map(
  (Object.keys(opcodes) as OperationName[]).map((name) => [opcodes[name].code, commands[name]]),
);

function run(memory: AddressSpace, list: CommandList): void {
  const { words, length } = list;
  for (let at = 0; at < length; at += words[at + 1]) {
    // Above the code stands whether a barrier comes first, which makes no difference to one thread.
    const command = commandsByCode.get(words[at] % 256);
    if (!command) throw new GallopError('invalid-argument', `a command code was expected; received ${words[at]}`);
    command(memory, ...words.subarray(at + 2, at + words[at + 1]));
  }
}

/**
 * A backend of one thread on ordinary ArrayBuffers.
 * @returns a backend whose `execute` throws GallopError `invalid-state` after `dispose` and for commands that leave
 * live memory
 */
export function createReferenceBackend(): Backend {
  const memory = new AddressSpace();
  let open = true;
  return {
    name: 'reference',
    variant: 'typescript',
    threads: 1,
    allocate(byteLength: number): Memory {
      requireArgument(
        Number.isSafeInteger(byteLength) && byteLength >= 0,
        () => `a byte length must be a non-negative integer; received ${byteLength}`,
      );
      return memory.allocate(byteLength);
    },
    execute(list: CommandList): void {
      if (!open) throw new GallopError('invalid-state', 'this backend was disposed; create another one');
      run(memory, list);
    },
    dispose(): void {
      open = false;
    },
  };
}

/**
 * The command format, in one place. A command is a run of float64 words: `[opcode + 256 × barrier, word count,
 * operands…]`; operands are addresses and integers (exact in float64) or float32 parameters, in the order listed here.
 * The C interpreter reads the same order (packages/kernels/src/c/run.c) and takes its opcode numbers from a header
 * generated from this table.
 */
const cacheOperands = ['pages', 'pageSlots', 'keyOffset', 'valueOffset', 'heads', 'headSize', 'half'] as const;

export type OperationName =
  | 'pack'
  | 'embed'
  | 'rmsNorm'
  | 'quantize'
  | 'linear'
  | 'rope'
  | 'cacheWrite'
  | 'cacheMove'
  | 'attention'
  | 'gated'
  | 'add'
  | 'softcap'
  | 'topK'
  | 'copyRows';

export interface Operation {
  readonly code: number;
  /** Names of the operands after the two words of the header. */
  readonly operands: readonly string[];
}

export const opcodes: Readonly<Record<OperationName, Operation>> = {
  pack: { code: 1, operands: ['out', 'source', 'rows', 'columns', 'format'] },
  embed: { code: 2, operands: ['out', 'weights', 'ids', 'rows', 'columns', 'format', 'scale'] },
  rmsNorm: { code: 3, operands: ['out', 'outKind', 'x', 'weight', 'rows', 'columns', 'epsilon'] },
  quantize: { code: 4, operands: ['out', 'x', 'rows', 'columns'] },
  linear: {
    code: 5,
    operands: [
      'out',
      'weights',
      'x',
      'bias',
      'rows',
      'outputs',
      'columns',
      'outStride',
      'format',
      'quantized',
      'accumulate',
    ],
  },
  rope: { code: 6, operands: ['x', 'table', 'rows', 'heads', 'headSize', 'rotary', 'adjacentPairs'] },
  cacheWrite: { code: 7, operands: [...cacheOperands, 'keys', 'values', 'slots', 'rows'] },
  cacheMove: { code: 8, operands: [...cacheOperands, 'from', 'to', 'count'] },
  attention: {
    code: 9,
    operands: [
      ...cacheOperands,
      'q',
      'out',
      'spans',
      'extras',
      'rows',
      'queryHeads',
      'scale',
      'softcap',
      'quantized',
      'places',
    ],
  },
  gated: { code: 10, operands: ['out', 'outKind', 'gate', 'up', 'rows', 'columns', 'activation'] },
  add: { code: 11, operands: ['out', 'a', 'b', 'count'] },
  softcap: { code: 12, operands: ['x', 'count', 'cap'] },
  topK: { code: 13, operands: ['values', 'ids', 'x', 'rows', 'columns', 'k'] },
  copyRows: { code: 14, operands: ['out', 'x', 'rows', 'count', 'rowBytes'] },
};

/** The C header with the same numbers. */
export function opcodesHeader(): string {
  const lines = Object.entries(opcodes).map(
    ([name, { code }]) => `  OP_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()} = ${code},`,
  );
  return `/* Generated from packages/tensor/src/opcodes.ts by packages/kernels/scripts/build.mjs. */\nenum Opcode {\n${lines.join('\n')}\n};\n`;
}

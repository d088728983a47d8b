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
  | 'copyRows'
  | 'map'
  | 'copy'
  | 'gather'
  | 'scatter'
  | 'unfold'
  | 'fold'
  | 'reduce'
  | 'extremeIndex'
  | 'cumulative'
  | 'softmax'
  | 'normalise'
  | 'sort'
  | 'matmul'
  | 'scan'
  | 'scanGradient'
  | 'quantizeRows'
  | 'integerProduct'
  | 'convert';

export interface Operation {
  readonly code: number;
  /**
   * Names of the operands after the two words of the header. Where the last one is `rank`, the sizes of that many axes
   * follow, then the strides of that many axes for each operand that `strides` names.
   */
  readonly operands: readonly string[];
  readonly strides?: readonly string[];
}

const windowOperands = [
  ...['out', 'x', 'fill', 'planes', 'height', 'width', 'windowHeight', 'windowWidth', 'strideHeight', 'strideWidth'],
  ...['padHeight', 'padWidth', 'dilationHeight', 'dilationWidth', 'outHeight', 'outWidth'],
];
const scanOperands = [
  ...['x', 'timeStep', 'decay', 'inputMatrix', 'outputMatrix', 'state', 'batch', 'heads', 'inner', 'length', 'states'],
  ...['groups', 'decayPerState', 'xBatch', 'xHead', 'xInner', 'xStep', 'timeStepBatch', 'timeStepHead', 'timeStepStep'],
];

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
      ...['bias', 'biasColumns', 'biasZero', 'keyPositions', 'queryPositions'],
    ],
  },
  gated: { code: 10, operands: ['out', 'outKind', 'gate', 'up', 'rows', 'columns', 'activation'] },
  add: { code: 11, operands: ['out', 'a', 'b', 'count'] },
  softcap: { code: 12, operands: ['x', 'count', 'cap'] },
  topK: { code: 13, operands: ['values', 'ids', 'x', 'rows', 'columns', 'k'] },
  copyRows: { code: 14, operands: ['out', 'x', 'rows', 'count', 'rowBytes'] },
  map: {
    code: 32,
    operands: ['out', 'a', 'b', 'c', 'function', 'p', 'q', 'rank'],
    strides: ['as many of a, b and c as the function takes'],
  },
  copy: { code: 33, operands: ['out', 'x', 'rank'], strides: ['out', 'x'] },
  gather: {
    code: 34,
    operands: ['out', 'x', 'indices', 'axisStride', 'axisSize', 'rank'],
    strides: ['x', 'indices'],
  },
  scatter: {
    code: 35,
    operands: [
      ...['out', 'source', 'indices', 'add', 'count', 'sourceStep', 'indexStep', 'axisStride', 'axisSize', 'rank'],
    ],
    strides: ['out', 'source', 'indices'],
  },
  unfold: { code: 36, operands: windowOperands },
  fold: { code: 37, operands: windowOperands },
  reduce: { code: 38, operands: ['out', 'x', 'outer', 'count', 'inner', 'kind'] },
  extremeIndex: { code: 39, operands: ['out', 'x', 'outer', 'count', 'inner', 'largest'] },
  cumulative: { code: 40, operands: ['out', 'x', 'outer', 'count', 'inner', 'reverse'] },
  softmax: { code: 41, operands: ['out', 'x', 'rows', 'columns', 'logarithm'] },
  normalise: { code: 42, operands: ['out', 'x', 'weight', 'bias', 'rows', 'columns', 'epsilon', 'centred'] },
  sort: { code: 43, operands: ['values', 'ids', 'x', 'rows', 'columns', 'descending'] },
  matmul: {
    code: 44,
    operands: [...['out', 'left', 'right', 'm', 'n', 'k', 'leftRow', 'leftInner', 'rightInner', 'rightColumn', 'rank']],
    strides: ['left', 'right'],
  },
  scan: { code: 45, operands: ['out', 'lastState', ...scanOperands] },
  scanGradient: {
    code: 46,
    operands: [
      ...['outGradient', 'lastStateGradient', 'xGradient', 'timeStepGradient', 'decayGradient'],
      ...['inputMatrixGradient', 'outputMatrixGradient', 'stateGradient', ...scanOperands],
    ],
  },
  quantizeRows: { code: 47, operands: ['codes', 'scales', 'x', 'rows', 'columns'] },
  integerProduct: { code: 48, operands: ['out', 'left', 'right', 'm', 'n', 'k'] },
  convert: { code: 49, operands: ['out', 'x', 'count', 'kind'] },
};

/** Functions of the map command by number of operands; `p` and `q` stand for its two parameters. */
const unaryFunctions = [
  'absolute',
  'sign',
  'exp',
  'log',
  'squareRoot',
  'reciprocalSquareRoot',
  'reciprocal',
  'square',
  'sine',
  'cosine',
  'tanh',
  'sigmoid',
  'silu',
  'relu',
  'erf',
  'gelu',
  'geluTanh',
  'geluQuick',
  'softplus',
  'expMinusOne',
  'elu',
  'leakyRelu',
  'round',
  'floor',
  'clamp',
  'affine',
  'power',
  'toBfloat',
] as const;
const binaryFunctions = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum', 'less', 'equal'] as const;
const ternaryFunctions = ['select', 'multiplyAdd'] as const;

export type UnaryFunction = (typeof unaryFunctions)[number];
export type BinaryFunction = (typeof binaryFunctions)[number];
export type TernaryFunction = (typeof ternaryFunctions)[number];
export type MapFunction = UnaryFunction | BinaryFunction | TernaryFunction;

const [firstBinary, firstTernary] = [64, 96];

/** The numbers of the map functions. */
export const mapFunctions: Readonly<Record<MapFunction, number>> = Object.fromEntries([
  ...unaryFunctions.map((name, i) => [name, i]),
  ...binaryFunctions.map((name, i) => [name, firstBinary + i]),
  ...ternaryFunctions.map((name, i) => [name, firstTernary + i]),
]) as Record<MapFunction, number>;

/** How many operands a map function takes. */
export function mapArity(code: number): 1 | 2 | 3 {
  return code >= firstTernary ? 3 : code >= firstBinary ? 2 : 1;
}

/** What the reduce command computes. */
export const reductions = { sum: 0, maximum: 1, minimum: 2 } as const;

/** The C header with the same numbers. */
export function opcodesHeader(): string {
  const upper = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  const list = (name: string, prefix: string, entries: readonly (readonly [string, number])[]): string =>
    `enum ${name} {\n${entries.map(([key, code]) => `  ${prefix}_${upper(key)} = ${code},\n`).join('')}};\n`;
  const codes = Object.entries(opcodes).map(([name, { code }]) => [name, code] as const);
  const functions = [
    ...Object.entries(mapFunctions),
    ['firstBinary', firstBinary] as const,
    ['firstTernary', firstTernary] as const,
  ];
  return `/* Generated from packages/tensor/src/opcodes.ts by packages/kernels/scripts/build.mjs. */
#ifndef GALLOP_OPCODES_H
#define GALLOP_OPCODES_H
${list('Opcode', 'OP', codes)}${list('MapFunction', 'MAP', functions)}${list('Reduction', 'REDUCE', Object.entries(reductions))}#endif
`;
}

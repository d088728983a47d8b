/** The generator's further tasks: repeated lists, domino chains, arithmetic, Latin squares, cumulative sums. */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';
import { PythonRandom } from './python-random.ts';
import { printList, type TaskSample } from './waiting-line.ts';

export interface RepeatOptions {
  readonly words: readonly string[];
  /** Whether each item or the whole list is repeated. */
  readonly repeat: 'each' | 'list';
  readonly counts: readonly number[];
  readonly minLength: number;
  /** Longest repeated list. */
  readonly maxLength: number;
}

const draw = <Sample>(seed: number, samples: number, one: (random: PythonRandom) => Sample): Sample[] => {
  requireWhole('samples', samples, 0, 2 ** 20);
  const random = new PythonRandom(seed);
  return Array.from({ length: samples }, () => one(random));
};

/** Lists with every item, or the whole, repeated. */
export const repeatTask = (seed: number, samples: number, options: RepeatOptions): TaskSample[] => {
  const { words, repeat, counts, minLength, maxLength } = options;
  return draw(seed, samples, (random) => {
    const count = random.choice(counts);
    const length = random.randint(minLength, Math.floor(maxLength / count));
    const list = random.sample(words, length);
    const repeated =
      repeat === 'each'
        ? list.flatMap((item) => new Array<string>(count).fill(item))
        : Array.from({ length: count }, () => list).flat();
    return { input: { context: printList(list), count }, answer: printList(repeated), metadata: { length, count } };
  });
};

/** Chains of two-digit numbers, each beginning with the last digit of the one before. */
export const dominoTask = (
  seed: number,
  samples: number,
  { minLength, maxLength }: { readonly minLength: number; readonly maxLength: number },
): TaskSample[] =>
  draw(seed, samples, (random) => {
    const length = random.randint(minLength, maxLength);
    const chain = [10 * random.randint(1, 9) + random.randint(1, 9)];
    while (chain.length < length) chain.push(10 * (chain[chain.length - 1] % 10) + random.randint(1, 9));
    const start = chain[0];
    return { input: { length, start }, answer: { length, start, example: printList(chain) }, metadata: { length } };
  });

/** Squares whose rows and columns hold every symbol once. */
export const latinSquareTask = (seed: number, samples: number, size: number): TaskSample[] => {
  requireWhole('size', size, 1, SYMBOLS.length);
  return draw(seed, samples, (random) => {
    const symbols = random.sample(SYMBOLS, size);
    const rows = symbols.map((_, row) => symbols.map((__, column) => symbols[(column + row) % size]));
    random.shuffle(rows);
    const columns = Array.from({ length: size }, (_, column) => rows.map((row) => row[column]));
    random.shuffle(columns);
    const example = rows.map((_, row) => columns.map((column) => column[row]).join(',')).join('\n');
    return {
      input: { size, symbols: `[${symbols.join(', ')}]` },
      answer: { symbols, example },
      metadata: { length: size },
    };
  });
};

const SYMBOLS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789');

/** Running sums of digits. */
export const cumulativeSumTask = (seed: number, samples: number, lengths: readonly number[]): TaskSample[] =>
  draw(seed, samples, (random) => {
    const length = random.choice(lengths);
    const list = random.choices([1, 2, 3, 4, 5, 6, 7, 8, 9], length);
    let sum = 0;
    const sums = list.map((value) => (sum += value));
    return { input: { list: `[${list.join(', ')}]` }, answer: `[${sums.join(', ')}]`, metadata: { length } };
  });

interface Term {
  readonly text: string;
  readonly value: bigint;
}

/** Nested arithmetic with whole numbers. */
export const arithmeticTask = (
  seed: number,
  samples: number,
  { lengths, operands }: { readonly lengths: readonly number[]; readonly operands: number },
): TaskSample[] => {
  requireWhole('operands', operands, 2, 2 ** 10);
  requireArgument(lengths.length > 0, () => 'Expected at least one length to choose from; received none; name some.');
  return draw(seed, samples, (random) => {
    const length = random.choice(lengths);
    const { text, value } = chain(random, operands, length);
    const result = value.toString();
    return {
      input: { equation: `${text.slice(1, -1)} = ?` },
      answer: { result },
      metadata: { length, true_length: result.length },
    };
  });
};

/** `n` operands, the first of which may be a chain itself. */
const chain = (random: PythonRandom, n: number, length: number): Term => {
  const operation = random.choice(['+', '-', '*']);
  const times = operation === '*';
  const first = n > 2 ? chain(random, n - 1, length) : numberOf(random, times ? Math.floor(length / 2) : length - 1);
  const digits = first.value.toString().replace('-', '').length;
  const second = numberOf(random, times ? Math.max(length - digits, 1) : length - 1);
  const values = { '+': first.value + second.value, '-': first.value - second.value, '*': first.value * second.value };
  const text = `(${first.text} ${operation} ${second.text})`;
  return { text, value: values[operation as keyof typeof values] };
};

const numberOf = (random: PythonRandom, digits: number): Term => {
  let text = String(random.randint(1, 9));
  for (let index = 1; index < digits; index++) text += random.randint(0, 9);
  return { text, value: BigInt(text) };
};

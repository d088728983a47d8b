/**
 * ParallelBench's waiting-line tasks (arXiv 2510.04767): lists to copy, reverse, sort, shuffle or edit. Trivial one token at a
 * time; several of them have many right answers whose tokens depend on each other, so that deciding tokens together must fail.
 */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';
import { PythonRandom } from './python-random.ts';

export type WaitingLineTask =
  | 'copy'
  | 'reverse'
  | 'sort'
  | 'shuffle'
  | 'insert_index'
  | 'insert_random'
  | 'remove_index'
  | 'remove_random'
  | 'replace_index'
  | 'replace_random';

/** A question, its answer, and what a scorer needs. Field names are those of the task files. */
export interface TaskSample {
  readonly input: Readonly<Record<string, string | number>>;
  /** The list as text, or the facts that decide whether a list is right and one that is. */
  readonly answer: string | Readonly<Record<string, unknown>>;
  /** The answer with `[MASK]` for every item. */
  readonly output_format?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface WaitingLineOptions {
  readonly task: WaitingLineTask;
  readonly seed: number;
  readonly words: readonly string[];
  readonly minLength: number;
  readonly maxLength: number;
  /** Samples wanted, and how many of them for each length. */
  readonly samples: number;
  readonly samplesPerLength: number;
  /** In-context examples for each sample. Default 1. */
  readonly shots?: number;
}

/** A list as the tasks print it. */
export const printList = (items: readonly (string | number)[]): string =>
  `[${items.map((item) => `"${item}"`).join(', ')}]`;

/**
 * Samples of a task and, for each shot, as many in-context samples.
 *
 * @throws GallopError `invalid-argument` for sizes that do not fit the words
 */
export const waitingLine = (
  options: WaitingLineOptions,
): { readonly samples: readonly TaskSample[]; readonly examples: readonly (readonly TaskSample[])[] } => {
  const { seed, words, minLength, maxLength, samples, samplesPerLength, shots = 1 } = options;
  requireWhole('minLength', minLength, 1);
  requireWhole('maxLength', maxLength, minLength, words.length);
  requireWhole('samplesPerLength', samplesPerLength, 1);
  requireWhole('samples', samples, 1, samplesPerLength * (maxLength - minLength + 1));
  requireArgument(samples % samplesPerLength === 0, () => {
    return `Expected samples to be a multiple of samplesPerLength; received ${samples} and ${samplesPerLength}; correct them.`;
  });
  const random = new PythonRandom(seed);
  const first = drawBuckets(random, options);
  const examples = Array.from({ length: shots }, () =>
    Array.from({ length: samples }, () => drawSample(random, options)),
  );
  return { samples: first, examples };
};

/** Draws until enough lengths are full; what is left over is thrown away. */
const drawBuckets = (random: PythonRandom, options: WaitingLineOptions): TaskSample[] => {
  const { samples, samplesPerLength } = options;
  const buckets = new Map<number, TaskSample[]>();
  let full = 0;
  while (full < samples / samplesPerLength) {
    const sample = drawSample(random, options);
    const length = sample.metadata.length as number;
    const bucket = buckets.get(length) ?? [];
    if (bucket.length === samplesPerLength) continue;
    buckets.set(length, bucket);
    bucket.push(sample);
    if (bucket.length === samplesPerLength) full++;
  }
  const lengths = [...buckets.keys()].sort((a, b) => a - b);
  return lengths.flatMap((length) => (buckets.get(length)!.length === samplesPerLength ? buckets.get(length)! : []));
};

const drawSample = (random: PythonRandom, options: WaitingLineOptions): TaskSample => {
  const { task, words, minLength, maxLength } = options;
  const length = random.randint(minLength, maxLength);
  const list = random.sample(words, length);
  const context = printList(list);
  const [edit, kind] = task.split('_');
  if (kind === undefined) return wholeListSample(random, task, list);
  const withWord = edit !== 'remove';
  const word = withWord ? random.choice(words.filter((other) => !list.includes(other))) : undefined;
  const index = random.randint(0, edit === 'insert' ? length : length - 1);
  const result = [...list];
  result.splice(index, edit === 'insert' ? 0 : 1, ...(word === undefined ? [] : [word]));
  const fixed = kind === 'index';
  const named = word === undefined ? {} : { word };
  return {
    input: { context, ...named, ...(fixed && { index }) },
    answer: fixed ? printList(result) : { input: list, ...named, example: printList(result) },
    ...(withWord && { output_format: printList(result.map(() => '[MASK]')) }),
    metadata: { length, index: fixed ? index : null, ...named },
  };
};

const wholeListSample = (random: PythonRandom, task: WaitingLineTask, list: readonly string[]): TaskSample => {
  const input = { context: printList(list) };
  const metadata = { length: list.length };
  const output_format = printList(list.map(() => '[MASK]'));
  if (task === 'copy') return { input, answer: printList(list), output_format, metadata };
  if (task === 'reverse') return { input, answer: printList([...list].reverse()), metadata };
  if (task === 'sort') return { input, answer: printList([...list].sort(byCodePoints)), metadata };
  const shuffled = [...list];
  do random.shuffle(shuffled);
  while (shuffled.every((item, index) => item === list[index]) && list.length > 1);
  return { input, answer: { input: list, example: printList(shuffled) }, output_format, metadata };
};

/** Order of whole strings by code point, as the published key (not the last name that the question asks for). */
const byCodePoints = (a: string, b: string): number => {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const difference = left[index].codePointAt(0)! - right[index].codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
};

/** ParallelBench: its random stream, its tasks and its scores. */
import {
  anyTextIsGrammatical,
  arithmeticTask,
  cumulativeSumTask,
  dominoTask,
  latinSquareTask,
  PythonRandom,
  parseList,
  parseListStrictly,
  repeatTask,
  type Score,
  scoreArithmetic,
  scoreDomino,
  scoreInsertRandom,
  scoreLatinSquare,
  scoreListMatch,
  scoreRemoveRandom,
  scoreReplaceRandom,
  scoreSentence,
  scoreShuffle,
  scoreSudoku,
  type TaskSample,
  taskSeed,
  type WaitingLineTask,
  waitingLine,
} from '@gallop/diffusion';
import { type CaseContext, register } from '../registry.ts';
import { count } from './diffusion-shared.ts';

const bench = 'parallelbench';

register('diffusion', bench, 'seed', async ({ inputs, params }) => ({
  seeds: await Promise.all(
    (inputs.names as string[]).map((name) => taskSeed(name, params.offset as number | undefined)),
  ),
}));

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index);

register('diffusion', bench, 'random-stream', ({ inputs, params }) => {
  const random = new PythonRandom(params.seed as number);
  const calls: Record<string, (a: number, b: number) => unknown> = {
    random: () => random.random(),
    randint: (from, to) => random.randint(from, to),
    choice: (n) => random.choice(upTo(n)),
    choices: (n, k) => random.choices(upTo(n), k),
    sample: (n, k) => random.sample(upTo(n), k),
    shuffle: (n) => {
      const items = upTo(n);
      random.shuffle(items);
      return items;
    },
  };
  return { results: (inputs.calls as [string, number, number][]).map(([name, a, b]) => calls[name](a, b)) };
});

register('diffusion', bench, 'instances', (context) => {
  const { inputs, params } = context;
  const { samples, examples } = waitingLine({
    ...{ task: params.task as WaitingLineTask, seed: count(context, 'seed'), words: inputs.words as string[] },
    ...{ minLength: count(context, 'minLength'), maxLength: count(context, 'maxLength') },
    ...{ samples: count(context, 'samples'), samplesPerLength: count(context, 'samplesPerLength') },
    ...(params.shots !== undefined && { shots: count(context, 'shots') }),
  });
  return { samples, exampleSamples: examples.length === 1 ? examples[0] : examples };
});

register('diffusion', bench, 'instances-other', (context) => {
  const { inputs, params } = context;
  const [seed, samples] = [count(context, 'seed'), count(context, 'samples')];
  const lengths = params.lengths as number[];
  const sizes = { minLength: params.min_length as number, maxLength: params.max_length as number };
  const repeat = (): TaskSample[] =>
    repeatTask(seed, samples, {
      ...{ words: inputs.words as string[], ...sizes, counts: params.repeat_counts as number[] },
      repeat: params.repeat_type as 'each' | 'list',
    });
  const tasks: Record<string, () => TaskSample[]> = {
    repeat_each: repeat,
    repeat_list: repeat,
    domino: () => dominoTask(seed, samples, sizes),
    math_op: () => arithmeticTask(seed, samples, { lengths, operands: count(context, 'num_ops') }),
    latin_square: () => latinSquareTask(seed, samples, count(context, 'size')),
    rec_cumsum: () => cumulativeSumTask(seed, samples, lengths),
  };
  return { samples: tasks[params.task as string]() };
});

register('diffusion', bench, 'parse-list', ({ inputs }) => {
  const texts = inputs.texts as string[];
  return { loose: texts.map(parseList), strict: texts.map(parseListStrictly) };
});

const metrics = {
  'list-match': scoreListMatch,
  shuffle: scoreShuffle,
  'insert-random': scoreInsertRandom,
  'remove-random': scoreRemoveRandom,
  'replace-random': scoreReplaceRandom,
  'latin-square': scoreLatinSquare,
  sudoku: scoreSudoku,
  domino: scoreDomino,
  'math-op': scoreArithmetic,
};

register('diffusion', bench, 'score', ({ inputs, params }: CaseContext) => {
  const score = metrics[params.metric as keyof typeof metrics] as (prediction: string, reference: unknown) => Score;
  const references = inputs.references as unknown[];
  const scores = (inputs.predictions as string[]).map((prediction, at) => score(prediction, references[at]));
  return { score: scores.map((one) => one.score), scoreStrict: scores.map(({ scoreStrict }) => scoreStrict) };
});

register('diffusion', bench, 'score-sentence', ({ inputs }) => {
  const words = inputs.words as string[][];
  const scores = (inputs.predictions as string[]).map((text, at) =>
    scoreSentence(text, words[at], anyTextIsGrammatical),
  );
  return { inclusion: scores.map(({ inclusion }) => inclusion), score: scores.map(({ score }) => score) };
});

/** Adapters of the counter-based generators and of the draws made from their words. */
import {
  type GeneratorName,
  randomBlock,
  randomUniform,
  randomWords,
  wordsToGaussians,
  wordsToUniformDouble,
  wordToUniform,
} from '@gallop/core';
import { register, type TensorValue } from '../registry.ts';

function wordRows({ shape: [rows, columns], data }: TensorValue): Uint32Array[] {
  return Array.from({ length: rows }, (_, row) =>
    Uint32Array.from(data.slice(row * columns, (row + 1) * columns), Number),
  );
}

register('speculative', 'random', 'block', ({ params, tensor }) => {
  const keys = wordRows(tensor('key'));
  const generator = params.generator as GeneratorName;
  const rounds = params.rounds as number;
  return {
    words: wordRows(tensor('counter')).map((counter, i) => [...randomBlock(generator, rounds, counter, keys[i])]),
  };
});

register('speculative', 'random', 'uniform', ({ tensor }) => {
  const rows = wordRows(tensor('words'));
  return {
    uniform: rows.map((words) => Array.from(words, wordToUniform)),
    uniformDouble: rows.map(([a, b, c, d]) => [wordsToUniformDouble(a, b), wordsToUniformDouble(c, d)]),
  };
});

register('speculative', 'random', 'gaussian', ({ tensor }) => ({
  gaussian: wordRows(tensor('words')).map(([a, b, c, d]) => [...wordsToGaussians(a, b), ...wordsToGaussians(c, d)]),
}));

register('speculative', 'random', 'stream', ({ params, tensor }) => {
  const seed = BigInt(params.seedLow as number) + (BigInt(params.seedHigh as number) << 32n);
  const stream = params.stream as number;
  const positions = Array.from(tensor('position').data, Number);
  return {
    words: positions.map((position) => [...randomWords({ seed, position })]),
    uniform: positions.map((position) => randomUniform({ seed, position })),
    streamUniform: positions.map((position) => randomUniform({ seed, stream, position })),
  };
});

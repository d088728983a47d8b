/** Random ids through good tokenizers: decoding and streaming take any number and give well-formed text. */
import type { Random } from '../random.ts';
import { type FuzzTarget, require } from '../target.ts';
import { sharedTokenizer, tokenizerNames } from './shared-tokenizers.ts';

interface Case {
  readonly [key: string]: string | readonly (number | string)[];
  readonly tokenizer: string;
  /** Numbers; those that JSON does not know as text. */
  readonly ids: readonly (number | string)[];
}

const odd = ['NaN', 'Infinity', '-Infinity', -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, -0];

function generate(random: Random): Case {
  const name = random.pick(tokenizerNames);
  const size = sharedTokenizer(name).vocabularySize;
  const id = (): number | string => (random.chance(0.05) ? random.pick(odd) : random.below(size + 3));
  return { tokenizer: name, ids: random.list(0, random.pick([8, 64, 400]), id) };
}

function run({ tokenizer: name, ids: written }: Case): void {
  const tokenizer = sharedTokenizer(name);
  const ids = written.map(Number);
  for (const skipSpecialTokens of [true, false]) {
    const whole = tokenizer.decode(ids, { skipSpecialTokens });
    require(whole.isWellFormed(), () => 'decode gives a lone surrogate');
    const stream = tokenizer.createDecodeStream({ skipSpecialTokens });
    for (const id of ids) {
      const piece = stream.push(id);
      require(piece.isWellFormed() && !piece.endsWith('\ufffd'), () => `the stream gives ${JSON.stringify(piece)}`);
    }
    require(stream.flush().isWellFormed(), () => 'the stream ends in a lone surrogate');
  }
}

export const ids: FuzzTarget<Case> = { name: 'ids', generate, run };

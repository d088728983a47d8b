/** Random text through good tokenizers: both ways of encoding agree, offsets lie in the text, byte-level text comes back. */
import type { Encoding } from '@gallop/tokenizer';
import { randomText } from '../mutation/text.ts';
import type { Random } from '../random.ts';
import { type FuzzTarget, require } from '../target.ts';
import { sharedTokenizer, tokenizerNames } from './shared-tokenizers.ts';

interface Case {
  readonly [key: string]: string;
  readonly tokenizer: string;
  readonly text: string;
}

const specials = ['<|endoftext|>', '<s>', '</s>', '[CLS]', '<|user|>', '<unk>'];

/** Byte-level BPE without a normalizer gives every text back. */
const restoring = new Set(['bpe-gpt2', 'bpe-llama3', 'bpe-gpt4o', 'bpe-digits', 'bpe-deepseek']);

function checkOffsets(encoding: Encoding, length: number): void {
  for (let index = 0; index < encoding.length; index++) {
    const [start, end] = [encoding.starts[index], encoding.ends[index]];
    require(start >= 0 && start <= end && end <= length, () => `offsets ${start}, ${end} in a text of ${length}`);
  }
}

function run({ tokenizer: name, text }: Case): void {
  const tokenizer = sharedTokenizer(name);
  const ids = tokenizer.encode(text);
  const detailed = tokenizer.encodeDetailed(text);
  require(ids.join() === detailed.ids.join(), () =>
    `encode gives ${ids.join()}, encodeDetailed ${detailed.ids.join()}`);
  checkOffsets(detailed, [...text].length);
  const plain = tokenizer.encode(text, { addSpecialTokens: false });
  const decoded = tokenizer.decode(plain);
  require(decoded.isWellFormed(), () => 'decode gives a lone surrogate');
  if (!restoring.has(name)) return;
  require(decoded === text.toWellFormed(), () => `decode gives ${JSON.stringify(decoded)}`);
  const stream = tokenizer.createDecodeStream();
  const pieces = Array.from(plain, (id) => stream.push(id));
  pieces.push(stream.flush());
  require(pieces.join('') === decoded, () => `the stream gives ${JSON.stringify(pieces)}`);
}

export const text: FuzzTarget<Case> = {
  name: 'text',
  generate: (random: Random) => ({ tokenizer: random.pick(tokenizerNames), text: randomText(random, specials) }),
  run,
};

/** tokenizer.json: random components around small models, then mutated as JSON or as bytes; used on a text and on ids. */
import { tokenizerFromJson } from '@gallop/tokenizer';
import { mutateBytes } from '../mutation/bytes.ts';
import { mutateJson } from '../mutation/json.ts';
import { randomText } from '../mutation/text.ts';
import type { Random } from '../random.ts';
import type { FuzzTarget, JsonValue } from '../target.ts';
import { type ComponentKind, randomComponent } from './component-grammar.ts';

const tokens = [
  '<s>',
  '<unk>',
  '[UNK]',
  'a',
  'b',
  'ab',
  '##b',
  'b</w>',
  '\u2581',
  '\u2581a',
  'é',
  '中',
  '\u0120',
  '\u0120a',
  '<0x41>',
  'c',
  'abc',
];

function model(random: Random): JsonValue {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  switch (random.below(4)) {
    case 0:
      return {
        type: 'BPE',
        vocab,
        merges: random.pick([
          ['a b'],
          [
            ['a', 'b'],
            ['ab', 'c'],
          ],
          [],
        ]),
        unk_token: random.pick([null, '<unk>']),
        fuse_unk: random.chance(0.5),
        byte_fallback: random.chance(0.5),
        ignore_merges: random.chance(0.5),
        continuing_subword_prefix: random.pick([null, '##']),
        end_of_word_suffix: random.pick([null, '</w>']),
        dropout: null,
      };
    case 1:
      return {
        type: 'Unigram',
        vocab: tokens.map((token, id) => [token, -id / 3]),
        unk_id: random.pick([null, 1]),
        byte_fallback: random.chance(0.5),
      };
    case 2:
      return {
        type: 'WordPiece',
        vocab,
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: random.below(20),
      };
    default:
      return { type: 'WordLevel', vocab, unk_token: random.pick(['[UNK]', 'absent']) };
  }
}

function addedToken(random: Random, id: number): JsonValue {
  const flag = (): boolean => random.chance(0.4);
  return {
    id,
    content: random.pick(['<s>', '<x>', 'ab', ' a', 'é', 'A', '\n', '']),
    special: flag(),
    normalized: flag(),
    lstrip: flag(),
    rstrip: flag(),
    single_word: flag(),
  };
}

function file(random: Random): JsonValue {
  const optional = (kind: ComponentKind): JsonValue => (random.chance(0.7) ? randomComponent(kind, random) : null);
  let id = tokens.length;
  return {
    version: '1.0',
    truncation: random.chance(0.2)
      ? { direction: 'Right', max_length: random.below(9), strategy: 'LongestFirst', stride: random.below(3) }
      : null,
    padding: random.chance(0.2)
      ? {
          strategy: random.pick(['BatchLongest', { Fixed: 7 }]),
          direction: 'Left',
          pad_id: 0,
          pad_type_id: 0,
          pad_token: '<s>',
        }
      : null,
    added_tokens: random.list(0, 5, () => addedToken(random, id++)),
    normalizer: optional('normalizer'),
    pre_tokenizer: optional('pre_tokenizer'),
    post_processor: optional('post_processor'),
    decoder: optional('decoder'),
    model: model(random),
  };
}

interface Case {
  readonly [key: string]: JsonValue;
  /** The file's bytes as numbers, or its JSON. */
  readonly file: JsonValue;
  readonly texts: readonly string[];
  readonly ids: readonly number[];
}

function generate(random: Random): Case {
  const json = random.chance(0.6) ? mutateJson(file(random), random) : file(random);
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  return {
    file: random.chance(0.3) ? [...mutateBytes(bytes, random)] : JSON.stringify(json),
    texts: random.list(1, 3, () => randomText(random, tokens)),
    ids: random.list(0, 20, () => random.between(-2, tokens.length + 6)),
  };
}

function run({ file: source, texts, ids }: Case): void {
  const tokenizer = tokenizerFromJson(typeof source === 'string' ? source : Uint8Array.from(source as number[]));
  for (const skipSpecialTokens of [true, false]) tokenizer.decode(ids, { skipSpecialTokens });
  const stream = tokenizer.createDecodeStream();
  for (const id of ids) stream.push(id);
  stream.flush();
  for (const text of texts) {
    tokenizer.encode(text);
    tokenizer.encodeDetailed([text, text], { truncation: 'file', padding: 'file' });
  }
}

export const tokenizerJson: FuzzTarget<Case> = { name: 'tokenizer-json', generate, run };

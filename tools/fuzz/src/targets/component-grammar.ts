/** Random components of a tokenizer.json: every type with every option. */
import type { Random } from '../random.ts';
import type { JsonValue } from '../target.ts';

type Component = Record<string, JsonValue>;

export const patterns: readonly string[] = [
  '\\s+',
  '\\w+',
  '\\W',
  '\\p{L}+|\\p{N}',
  '[^\\s]+',
  '(?i:abc|the)',
  'x*',
  '',
  '^',
  '$',
  '\\b',
  '(?=a)',
  '(?<=a)b',
  '[\\p{L}&&[^a]]',
  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s+(?!\\S)|\\s+",
  '.',
  '(a)\\1',
];
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

function pattern(random: Random): Component {
  return random.chance(0.5) ? { String: random.pick([' ', '\u2581', 'a', '']) } : { Regex: random.pick(patterns) };
}

type Options = Readonly<Record<string, (random: Random) => Component>>;

const flag = (random: Random): boolean => random.chance(0.5);

const normalizers: Options = {
  NFC: () => ({}),
  NFD: () => ({}),
  NFKC: () => ({}),
  NFKD: () => ({}),
  Lowercase: () => ({}),
  StripAccents: () => ({}),
  Nmt: () => ({}),
  ByteLevel: () => ({}),
  Strip: (random) => ({ strip_left: flag(random), strip_right: flag(random) }),
  Prepend: (random) => ({ prepend: random.pick(['\u2581', 'ab', '']) }),
  Replace: (random) => ({ pattern: pattern(random), content: random.pick(['', 'x', '\u2581', 'e\u0301']) }),
  Precompiled: (random) => ({ precompiled_charsmap: random.pick(['', 'AAAA', 'BAAAAAAAAAA=', 'not base64']) }),
  BertNormalizer: (random) => ({
    clean_text: flag(random),
    handle_chinese_chars: flag(random),
    strip_accents: random.pick([null, true, false]),
    lowercase: flag(random),
  }),
};

const preTokenizers: Options = {
  ByteLevel: (random) => ({ add_prefix_space: flag(random), trim_offsets: flag(random), use_regex: flag(random) }),
  BertPreTokenizer: () => ({}),
  Whitespace: () => ({}),
  WhitespaceSplit: () => ({}),
  UnicodeScripts: () => ({}),
  Digits: (random) => ({ individual_digits: flag(random) }),
  Punctuation: (random) => ({ behavior: random.pick(behaviors) }),
  CharDelimiterSplit: (random) => ({ delimiter: random.pick(['a', ' ', '', 'ab']) }),
  FixedLength: (random) => ({ length: random.below(6) }),
  Metaspace: (random) => ({
    replacement: '\u2581',
    prepend_scheme: random.pick(['always', 'first', 'never']),
    split: flag(random),
  }),
  Split: (random) => ({ pattern: pattern(random), behavior: random.pick(behaviors), invert: flag(random) }),
};

const decoders: Options = {
  ByteLevel: () => ({}),
  ByteFallback: () => ({}),
  Fuse: () => ({}),
  Replace: (random) => ({ pattern: pattern(random), content: random.pick(['', ' ', 'x']) }),
  Strip: (random) => ({ content: ' ', start: random.below(3), stop: random.below(3) }),
  Metaspace: (random) => ({ replacement: '\u2581', prepend_scheme: random.pick(['always', 'first', 'never']) }),
  BPEDecoder: () => ({ suffix: '</w>' }),
  WordPiece: (random) => ({ prefix: '##', cleanup: flag(random) }),
  CTC: (random) => ({ pad_token: '<pad>', word_delimiter_token: '|', cleanup: flag(random) }),
};

const special = { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } };
const text = (id: string): Component => ({ Sequence: { id, type_id: 0 } });
const added: Component = { SpecialToken: { id: '<s>', type_id: 1 } };

const postProcessors: Options = {
  ByteLevel: (random) => ({ trim_offsets: flag(random), add_prefix_space: flag(random) }),
  BertProcessing: () => ({ sep: ['<s>', 0], cls: ['<s>', 0] }),
  RobertaProcessing: (random) => ({
    sep: ['<s>', 0],
    cls: ['<s>', 0],
    trim_offsets: flag(random),
    add_prefix_space: flag(random),
  }),
  TemplateProcessing: () => ({
    single: [added, text('A')],
    pair: [text('A'), added, text('B')],
    special_tokens: special,
  }),
};

/** Where components stand in a file. */
export type ComponentKind = 'normalizer' | 'pre_tokenizer' | 'decoder' | 'post_processor';

/** The types of each kind, and the name of the list in its sequence. */
const kinds: Readonly<Record<ComponentKind, { readonly options: Options; readonly list: string }>> = {
  normalizer: { options: normalizers, list: 'normalizers' },
  pre_tokenizer: { options: preTokenizers, list: 'pretokenizers' },
  decoder: { options: decoders, list: 'decoders' },
  post_processor: { options: postProcessors, list: 'processors' },
};

/** A component of a kind, now and then a sequence of some. */
export function randomComponent(kind: ComponentKind, random: Random, depth = 0): Component {
  const { options, list } = kinds[kind];
  if (depth < 3 && random.chance(0.25)) {
    return { type: 'Sequence', [list]: random.list(0, 4, () => randomComponent(kind, random, depth + 1)) };
  }
  const type = random.pick(Object.keys(options));
  return { type, ...options[type](random) };
}

/**
 * A tokenizer.json as GGUF metadata: byte-level BPE (`gpt2`) with its merges and the name of its pre-tokenizer, or
 * SentencePiece-style BPE with byte fallback (`llama`), whose merges become scores.
 */
import { GallopError } from '@gallop/core';
import type { GgufValue } from '../gguf/metadata.ts';
import { ggufStrings } from '../gguf/write.ts';
import { JsonView } from './json-view.ts';

/** Token types of GGUF. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;
const BYTE = 6;

/** The pre-tokenizers that GGUF names, by the parts that tell them apart. */
const preTokenizers: readonly (readonly [name: string, parts: readonly string[]])[] = [
  [
    'llama-bpe',
    [
      "Split (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      'ByteLevel',
    ],
  ],
  [
    'qwen2',
    [
      "Split (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      'ByteLevel',
    ],
  ],
  ['smollm', ['Digits', 'ByteLevel with regex']],
  ['gpt-2', ['ByteLevel with regex']],
];

/**
 * The tokenizer's metadata.
 * @param tokenizer text of tokenizer.json.
 * @param tokenizerConfig of tokenizer_config.json, where there is one.
 * @param vocabSize rows of the embedding; ids without a token get an unused one.
 * @throws GallopError `unsupported` for tokenizers that GGUF has no name for, `invalid-file`.
 */
export function tokenizerMetadata(
  tokenizer: string,
  tokenizerConfig: JsonView,
  config: JsonView,
  chatTemplate: string | undefined,
): [string, GgufValue][] {
  const root = JsonView.parse(tokenizer, 'tokenizer.json');
  const model = root.view('model');
  if (model.string('type', '') !== 'BPE') {
    throw new GallopError('unsupported', `Expected a BPE tokenizer; received ${model.string('type', 'none')}.`);
  }
  const ids = idsOf(root, model);
  const vocabulary = listTokens(root, model, ids, config.number('vocab_size'));
  const kind = model.boolean('byte_fallback', false)
    ? sentencePiece(root, model, ids, vocabulary)
    : byteLevel(root, model);
  return [
    ...kind,
    ['tokenizer.ggml.tokens', ggufStrings(vocabulary.tokens)],
    ['tokenizer.ggml.token_type', { type: 'array', elementType: 'i32', value: vocabulary.types }],
    ...specialTokens(root, tokenizerConfig, config, ids),
    ...chatTemplates(tokenizerConfig, chatTemplate),
  ];
}

interface Vocabulary {
  readonly tokens: string[];
  readonly types: Int32Array;
}

/** Ids by token, of the model and added. */
function idsOf(root: JsonView, model: JsonView): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [token, id] of model.view('vocab').entries()) ids.set(token, id as number);
  for (const added of addedTokens(root)) ids.set(added.string('content'), added.number('id'));
  return ids;
}

function addedTokens(root: JsonView): JsonView[] {
  return root.list('added_tokens').map((added) => new JsonView(added, 'added token'));
}

function listTokens(root: JsonView, model: JsonView, ids: ReadonlyMap<string, number>, vocabSize: number): Vocabulary {
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const types = new Int32Array(vocabSize).fill(UNUSED);
  const isBytewise = model.boolean('byte_fallback', false);
  for (const [token, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw new GallopError('invalid-file', `Expected token ids below ${vocabSize}; "${token}" has ${id}.`);
    }
    tokens[id] = token;
    types[id] = isBytewise && /^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : NORMAL;
  }
  for (const added of addedTokens(root)) {
    types[added.number('id')] = added.boolean('special', false) ? CONTROL : USER_DEFINED;
  }
  const unknown = ids.get(model.string('unk_token', ''));
  if (unknown !== undefined) types[unknown] = UNKNOWN;
  return { tokens, types };
}

/** Merges as pairs; newer files write lists, older ones strings with a space. */
function mergesOf(model: JsonView): [string, string][] {
  return model.list('merges').map((merge) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (Array.isArray(pair) && pair.length === 2) return pair as [string, string];
    throw new GallopError('invalid-file', `Expected merges of two tokens; received ${JSON.stringify(merge)}.`);
  });
}

function byteLevel(root: JsonView, model: JsonView): [string, GgufValue][] {
  const normalizer = root.view('normalizer').string('type', 'none');
  if (normalizer !== 'none' && normalizer !== 'NFC') {
    throw new GallopError('unsupported', `Expected a byte-level tokenizer without normalizer; received ${normalizer}.`);
  }
  const parts = describe(root.view('pre_tokenizer'));
  const pre = preTokenizers.find(([, expected]) => expected.join('\n') === parts.join('\n'));
  if (pre === undefined) {
    throw new GallopError(
      'unsupported',
      `Expected a pre-tokenizer that GGUF names (${preTokenizers.map(([name]) => name).join(', ')}); received ${parts.join(', ')}.`,
    );
  }
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: pre[0] }],
    ['tokenizer.ggml.merges', ggufStrings(mergesOf(model).map((pair) => pair.join(' ')))],
  ];
}

/** A pre-tokenizer as a list of its steps. */
function describe(step: JsonView): string[] {
  switch (step.string('type', '')) {
    case 'Sequence':
      return step.list('pretokenizers').flatMap((part) => describe(new JsonView(part, 'pre-tokenizer')));
    case 'Split':
      return [`Split ${step.view('pattern').string('Regex', '')}`];
    case 'Digits':
      return [step.boolean('individual_digits', false) ? 'Digits' : 'Digits in groups'];
    case 'ByteLevel':
      return [
        `ByteLevel${step.boolean('use_regex', true) ? ' with regex' : ''}${step.boolean('add_prefix_space', true) ? ' and prefix space' : ''}`,
      ];
    default:
      return [step.string('type', 'none')];
  }
}

/** A merge's rank becomes the negative score of the token it makes; the best score merges first. */
function sentencePiece(
  root: JsonView,
  model: JsonView,
  ids: ReadonlyMap<string, number>,
  vocabulary: Vocabulary,
): [string, GgufValue][] {
  const merges = mergesOf(model);
  const scores = new Float32Array(vocabulary.tokens.length).fill(-merges.length);
  merges.forEach((pair, rank) => {
    const id = ids.get(pair.join(''));
    if (id !== undefined) scores[id] = Math.max(scores[id], 0 - rank);
  });
  const steps = JSON.stringify([root.get('normalizer'), root.get('pre_tokenizer')]);
  const prefix = /"type":"Prepend"/.test(steps) || /"prepend_scheme":"(always|first)"/.test(steps);
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'default' }],
    ['tokenizer.ggml.scores', { type: 'array', elementType: 'f32', value: scores }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: prefix }],
  ];
}

function specialTokens(
  root: JsonView,
  tokenizerConfig: JsonView,
  config: JsonView,
  ids: ReadonlyMap<string, number>,
): [string, GgufValue][] {
  const template = templateOf(root.view('post_processor'));
  const around = { bos: template[0], eos: template.length > 1 ? template.at(-1) : undefined };
  const idOf = (kind: string, fallback?: string): number | undefined => {
    const token = tokenizerConfig.get(`${kind}_token`);
    const content = typeof token === 'object' ? new JsonView(token, `${kind}_token`).get('content') : token;
    const stated = config.get(`${kind}_token_id`);
    const id =
      (typeof content === 'string' ? ids.get(content) : undefined) ?? (Array.isArray(stated) ? stated[0] : stated);
    return id ?? (fallback === undefined ? undefined : ids.get(fallback));
  };
  const entries: [string, GgufValue][] = [];
  const put = (key: string, value: number | undefined): void => {
    if (value !== undefined) entries.push([`tokenizer.ggml.${key}_token_id`, { type: 'u32', value }]);
  };
  put('unknown', idOf('unk'));
  put('padding', idOf('pad'));
  for (const kind of ['bos', 'eos'] as const) {
    const id = idOf(kind, around[kind]);
    put(kind, id);
    const value = tokenizerConfig.boolean(`add_${kind}_token`, id !== undefined && ids.get(around[kind] ?? '') === id);
    entries.push([`tokenizer.ggml.add_${kind}_token`, { type: 'bool', value }]);
  }
  return entries;
}

/** Special tokens around a single text, with "" for the text. */
function templateOf(processor: JsonView): string[] {
  if (processor.string('type', '') === 'Sequence') {
    return (
      processor
        .list('processors')
        .map((part) => templateOf(new JsonView(part, 'processor')))
        .find((found) => found.length > 0) ?? []
    );
  }
  return processor.list('single').map((part) => new JsonView(part, 'template').view('SpecialToken').string('id', ''));
}

function chatTemplates(tokenizerConfig: JsonView, chatTemplate: string | undefined): [string, GgufValue][] {
  const stated = chatTemplate ?? tokenizerConfig.get('chat_template') ?? [];
  if (typeof stated === 'string') return [['tokenizer.chat_template', { type: 'string', value: stated }]];
  return (stated as unknown[]).map((entry): [string, GgufValue] => {
    const view = new JsonView(entry, 'chat_template');
    const name = view.string('name');
    const key = name === 'default' ? 'tokenizer.chat_template' : `tokenizer.chat_template.${name}`;
    return [key, { type: 'string', value: view.string('template') }];
  });
}

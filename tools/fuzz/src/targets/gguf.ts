/** GGUF: headers, metadata of every type, nested arrays, tokenizer keys, tensor infos; then a tokenizer and the tensors. */

import { GallopError } from '@gallop/core';
import { dequantize, ggmlTypes, memorySource, openGguf } from '@gallop/formats';
import { tokenizerFromGguf } from '@gallop/tokenizer';
import { mutateBytes } from '../mutation/bytes.ts';
import { randomText } from '../mutation/text.ts';
import type { Random } from '../random.ts';
import { type FuzzTarget, require } from '../target.ts';
import { ByteWriter } from './byte-writer.ts';

const U32 = 4;
const F32 = 6;
const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const scalarBytes: Readonly<Record<number, 1 | 2 | 4 | 8>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

function writeValue(out: ByteWriter, type: number, random: Random, depth: number): void {
  if (type === STRING) out.string(randomText(random));
  else if (type !== ARRAY) out.number(random.below(type === BOOL ? 2 : 300), scalarBytes[type] ?? 4);
  else {
    const element = depth < 3 && random.chance(0.2) ? ARRAY : random.below(ARRAY);
    const count = random.below(5);
    out.number(element, 4).number(count, 8);
    for (let index = 0; index < count; index++) writeValue(out, element, random, depth + 1);
  }
}

type Write = (out: ByteWriter) => void;

function entry(key: string, type: number, write: Write): Write {
  return (out) => {
    out.string(key).number(type, 4);
    write(out);
  };
}

function stringsEntry(key: string, texts: readonly string[]): Write {
  return entry(key, ARRAY, (out) => {
    out.number(STRING, 4).number(texts.length, 8);
    for (const text of texts) out.string(text);
  });
}

const pieces = [
  'a',
  'b',
  'c',
  'ab',
  'bc',
  'abc',
  '\u2581',
  '\u2581a',
  '<s>',
  '</s>',
  '<unk>',
  '<0x41>',
  '\u0120',
  '\u0120a',
  'é',
];

/** The keys of a tokenizer, mostly of one that works. */
function tokenizerEntries(random: Random): Write[] {
  const tokens = random.list(1, 40, () => random.pick(pieces));
  const numbers = (key: string, type: number, bytes: 4): Write =>
    entry(key, ARRAY, (out) => {
      out.number(type, 4).number(tokens.length, 8);
      for (const _ of tokens) out.number(type === F32 ? 0xc0000000 + random.below(1000) : random.between(1, 6), bytes);
    });
  const text = (key: string, value: string): Write => entry(`tokenizer.${key}`, STRING, (out) => out.string(value));
  const all: Write[] = [
    text('ggml.model', random.pick(['gpt2', 'llama', 'bert', 't5', 'gemma4', 'rwkv', 'none'])),
    text(
      'ggml.pre',
      random.pick(['default', 'llama-bpe', 'gpt-2', 'qwen2', 'smollm', 'deepseek-v3', 'falcon', 'nothing']),
    ),
    stringsEntry('tokenizer.ggml.tokens', tokens),
    numbers('tokenizer.ggml.scores', F32, 4),
    numbers('tokenizer.ggml.token_type', 5, 4),
    stringsEntry(
      'tokenizer.ggml.merges',
      random.list(0, 8, () => random.pick(['a b', 'ab c', 'a', ' ', 'x y z', '\u0120 a'])),
    ),
    text('chat_template', random.pick(['{{ messages[0].content }}', '{% for', ''])),
    ...['bos', 'eos', 'unknown', 'padding'].map((role) =>
      entry(`tokenizer.ggml.${role}_token_id`, U32, (out) => out.number(random.below(50), 4)),
    ),
    entry('tokenizer.ggml.add_bos_token', BOOL, (out) => out.number(random.below(2), 1)),
  ];
  return all.filter(() => random.chance(0.95));
}

function tensorInfo(random: Random, index: number, offset: number): { write: Write; bytes: number } {
  const type = random.pick(ggmlTypes);
  const dimensions = [type.blockElements * random.between(1, 3), ...random.list(0, 3, () => random.between(1, 3))];
  const elements = dimensions.reduce((product, size) => product * size, 1);
  const write: Write = (out) => {
    out.string(random.pick([`blk.${index}.weight`, 'same'])).number(dimensions.length, 4);
    for (const size of dimensions) out.number(size, 8);
    out.number(type.id, 4).number(offset, 8);
  };
  return { write, bytes: (elements / type.blockElements) * type.blockBytes };
}

function generate(random: Random): Uint8Array {
  const out = new ByteWriter(random, random.pick([0, 0.005, 0.02]));
  const entries = random.chance(0.7) ? tokenizerEntries(random) : [];
  for (let count = random.below(6); count > 0; count--) {
    const type = random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11, 12]);
    entries.push(entry(randomText(random).slice(0, 20), type, (to) => writeValue(to, type, random, 0)));
  }
  const infos: Write[] = [];
  let offset = 0;
  for (let count = random.below(4); count > 0; count--) {
    const info = tensorInfo(random, infos.length, offset);
    infos.push(info.write);
    offset += Math.ceil(info.bytes / 32) * 32;
  }
  out.raw(new TextEncoder().encode('GGUF')).number(random.pick([2, 3, 3, 3]), 4);
  out.number(infos.length, 8).number(entries.length, 8);
  for (const write of [...entries, ...infos]) write(out);
  out.padTo(32).raw(random.bytes(Math.min(offset, 20_000)));
  return random.chance(0.3) ? mutateBytes(out.build(), random) : out.build();
}

async function run(bytes: Uint8Array): Promise<void> {
  using file = await openGguf(memorySource(bytes));
  for (const [, value] of file.metadata) {
    if (value.type !== 'array' || value.elementType !== 'string') continue;
    for (const text of value.value) require(typeof text === 'string', () => 'a string array holds another value');
  }
  for (const tensor of file.tensors) {
    const stored = await file.read(tensor);
    if (!/^I\d/.test(tensor.type)) dequantize(tensor.type, stored);
  }
  try {
    const tokenizer = tokenizerFromGguf(file.metadata);
    tokenizer.decode(tokenizer.encode('abc a  b <s> é 中'));
    if (tokenizer.hasChatTemplate()) tokenizer.applyChatTemplate([{ role: 'user', content: 'a' }]);
  } catch (error) {
    if (!GallopError.isInstance(error)) throw error;
  }
}

export const gguf: FuzzTarget<Uint8Array> = { name: 'gguf', generate, run };

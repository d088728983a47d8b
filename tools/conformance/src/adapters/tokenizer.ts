/** Adapters of tokenizers: whole ones, from tokenizer.json or from a GGUF file, and single components. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GallopError } from '@gallop/core';
import { openGguf } from '@gallop/formats';
import { openFile } from '@gallop/formats/node';
import {
  type ChatMessage,
  type DetailedEncodeOptions,
  decoderFromComponent,
  type Encoding,
  normalizerFromComponent,
  type PaddingOptions,
  preTokenizerFromComponent,
  renderChatTemplate,
  type TextInput,
  type Tokenizer,
  type TruncationOptions,
  tokenizerFromGguf,
  tokenizerFromJson,
} from '@gallop/tokenizer';
import { type CaseContext, register } from '../registry.ts';

const loaded = new Map<string, Promise<Tokenizer>>();

async function readTokenizer(path: string): Promise<Tokenizer> {
  if (path.endsWith('.json')) return tokenizerFromJson(readFileSync(path));
  using file = await openGguf(openFile(path));
  return tokenizerFromGguf(file.metadata);
}

/** The tokenizer of a case: a folder of models/, or a real file. */
async function tokenizerOf(context: CaseContext): Promise<Tokenizer> {
  const { model, file } = context.params;
  const path = file ? await context.realFile() : join(context.modelFolder(String(model)), 'tokenizer.json');
  let tokenizer = loaded.get(path);
  if (!tokenizer) loaded.set(path, (tokenizer = readTokenizer(path)));
  return tokenizer;
}

function inputsOf(context: CaseContext): TextInput[] {
  const pairs = context.inputs.pairs as string[] | undefined;
  return (context.inputs.texts as string[]).map((text, index) => (pairs ? [text, pairs[index]] : text));
}

function encodeOptions(params: CaseContext['params']): DetailedEncodeOptions {
  const { addSpecialTokens, parseSpecial, truncation, padding } = params;
  return {
    addSpecialTokens: addSpecialTokens !== false,
    parseSpecial: parseSpecial !== false,
    ...(truncation ? { truncation: truncation as TruncationOptions | 'file' } : {}),
    ...(padding ? { padding: padding as PaddingOptions | 'file' } : {}),
  };
}

register('tokenizer', '*', 'encode', async (context) => {
  const tokenizer = await tokenizerOf(context);
  const options = encodeOptions(context.params);
  const inputs = inputsOf(context);
  const encodings = tokenizer.encodeBatch(inputs, options);
  const idsOnly = inputs.every((input) => typeof input === 'string') && !options.truncation && !options.padding;
  return {
    ids: idsOnly
      ? inputs.map((input) => [...tokenizer.encode(input as string, options)])
      : encodings.map(({ ids }) => [...ids]),
    typeIds: encodings.map(({ typeIds }) => [...typeIds]),
    tokens: encodings.map(({ tokens }) => tokens),
    offsets: encodings.map(({ offsets }) => offsets),
    specialTokensMask: encodings.map(({ specialTokensMask }) => [...specialTokensMask]),
    attentionMask: encodings.map(({ attentionMask }) => [...attentionMask]),
  };
});

register('tokenizer', '*', 'decode', async (context) => {
  const tokenizer = await tokenizerOf(context);
  const skipSpecialTokens = context.params.skipSpecialTokens === true;
  return { texts: (context.inputs.ids as number[][]).map((ids) => tokenizer.decode(ids, { skipSpecialTokens })) };
});

register('tokenizer', '*', 'decode-stream', async (context) => {
  const tokenizer = await tokenizerOf(context);
  const skipSpecialTokens = context.params.skipSpecialTokens === true;
  const pieces = (context.inputs.ids as number[][]).map((ids) => {
    const stream = tokenizer.createDecodeStream({ skipSpecialTokens });
    return ids.map((id) => stream.push(id));
  });
  return { pieces, text: pieces.map((texts) => texts.join('')) };
});

function columns({ ids, attentionMask, typeIds }: Encoding): Record<string, number[]> {
  return { ids: [...ids], attentionMask: [...attentionMask], typeIds: [...typeIds] };
}

register('tokenizer', '*', 'truncate-pad', async (context) => {
  const tokenizer = await tokenizerOf(context);
  const encodings = tokenizer.encodeBatch(inputsOf(context), encodeOptions(context.params));
  return {
    encodings: encodings.map(columns),
    overflowing: encodings.map(({ overflowing }) => overflowing.map(columns)),
  };
});

register('tokenizer', '*', 'normalize', ({ params, inputs }) => ({
  texts: (inputs.texts as string[]).map(normalizerFromComponent(params.config as object)),
}));

register('tokenizer', '*', 'pre-tokenize', ({ params, inputs }) => {
  const pieces = (inputs.texts as string[]).map(preTokenizerFromComponent(params.config as object));
  return {
    pieces: pieces.map((all) => all.map(({ text }) => text)),
    offsets: pieces.map((all) => all.map(({ start, end }) => [start, end])),
  };
});

register('tokenizer', '*', 'decode-tokens', ({ params, inputs }) => ({
  texts: (inputs.tokens as string[][]).map(decoderFromComponent(params.config as object)),
}));

interface Conversation {
  messages: ChatMessage[];
  addGenerationPrompt: boolean;
  tools: unknown[] | null;
  variables: Record<string, unknown>;
}

register('tokenizer', '*', 'chat-template', ({ inputs }) => ({
  texts: (inputs.conversations as Conversation[]).map(({ messages, ...options }) => {
    try {
      return renderChatTemplate(inputs.template as string, messages, options);
    } catch (error) {
      if (!GallopError.isInstance(error, 'invalid-argument')) throw error;
      return null;
    }
  }),
}));

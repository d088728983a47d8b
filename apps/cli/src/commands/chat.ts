/**
 * `gallop chat`: a conversation on the terminal. One context lives through it, so that each turn only computes what is
 * new. Ctrl-C stops the answer that is being written; at an empty prompt it leaves.
 */

import { createInterface, type Interface } from 'node:readline/promises';
import { GallopError } from '@gallop/core';
import { type ChatMessage, Context, generate, type Model } from 'gallop';
import { Interrupted, withInterrupt } from '../interrupt.ts';
import { generateOptionsOf, loadOptionsOf, type ModelOptions, type SamplingFlags } from '../options.ts';
import { summaryOf } from './generate.ts';
import { loadWithProgress } from './load.ts';

export interface ChatFlags extends ModelOptions, SamplingFlags {
  readonly system?: string;
}

const QUESTION = '> ';

export const runChat = async (flags: ChatFlags): Promise<void> => {
  const { model } = await withInterrupt((signal) => loadWithProgress(flags.model, { ...loadOptionsOf(flags), signal }));
  try {
    if (!model.hasChatTemplate) {
      throw new GallopError(
        'unsupported',
        `Expected a model with a chat template; received ${flags.model}, which has none; use "gallop generate --raw" with it.`,
      );
    }
    await converse(model, flags);
  } finally {
    model.dispose();
  }
};

const converse = async (model: Model, flags: ChatFlags): Promise<void> => {
  using context = new Context(model.languageModel);
  const terminal = createInterface({ input: process.stdin, output: process.stderr, prompt: QUESTION });
  const opening: ChatMessage[] = flags.system === undefined ? [] : [{ role: 'system', content: flags.system }];
  let messages = [...opening];
  let closed = false;
  terminal.once('close', () => {
    closed = true;
  });
  try {
    terminal.prompt();
    terminal.on('SIGINT', () => {
      if (terminal.listenerCount('SIGINT') === 1) terminal.close();
    });
    for await (const line of terminal) {
      const text = line.trim();
      if (text === '/exit') return;
      if (text === '/reset') {
        messages = [...opening];
        context.reset();
      } else if (text !== '') {
        messages.push({ role: 'user', content: text });
        await answer(model, messages, context, flags, terminal);
      }
      if (!closed) terminal.prompt();
    }
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
};

/** Writes one answer and adds it to the messages, as far as it came. */
const answer = async (
  model: Model,
  messages: ChatMessage[],
  context: Context,
  flags: ChatFlags,
  terminal: Interface,
): Promise<void> => {
  const controller = new AbortController();
  const interrupt = (): void => controller.abort(new Interrupted());
  terminal.on('SIGINT', interrupt);
  let written = '';
  try {
    const options = { ...generateOptionsOf(flags), context, signal: controller.signal };
    const generation = generate(model, messages, options);
    for await (const piece of generation) {
      written += piece;
      process.stdout.write(piece);
    }
    process.stdout.write('\n');
    if (process.stderr.isTTY) process.stderr.write(`\x1b[2m${summaryOf(await generation.result, model)}\x1b[0m\n`);
  } catch (error) {
    if (GallopError.isInstance(error, 'context-overflow')) {
      process.stderr.write(`gallop: ${error.message} Here: /reset forgets the conversation.\n`);
      messages.pop();
      return;
    }
    if (!(error instanceof Interrupted)) throw error;
    process.stdout.write(' …\n');
  } finally {
    terminal.off('SIGINT', interrupt);
  }
  messages.push({ role: 'assistant', content: written });
};

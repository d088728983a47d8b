/** `gallop info`: what a model file holds, read from its header alone. */

import { inspectModel, type ModelDescription } from 'gallop';
import { formatBytes } from '../terminal/format.ts';

export interface InfoFlags {
  readonly model: string;
  readonly json?: true;
}

export const runInfo = async ({ model, json }: InfoFlags): Promise<void> => {
  const description = await inspectModel(model);
  const asJson = { ...description, metadata: Object.fromEntries(description.metadata) };
  process.stdout.write(json === true ? `${JSON.stringify(asJson)}\n` : textOf(description));
};

const textOf = (model: ModelDescription): string => {
  const bytes = model.tensorTypes.reduce((sum, type) => sum + type.bytes, 0);
  const facts: readonly [string, string][] = [
    ['architecture', model.architecture],
    ['parameters', `${(model.parameters / 1e6).toFixed(1)} million in ${formatBytes(bytes)}`],
    ['context length', String(model.contextLength ?? 'not said')],
    ['vocabulary', String(model.vocabSize ?? 'not said')],
    ['tokenizer', model.tokenizer ?? 'none'],
    ['chat template', model.chatTemplate ? 'yes' : 'no'],
  ];
  const types = model.tensorTypes.map(({ type, tensors, bytes: size }): [string, string] => {
    return [`  ${type}`, `${tensors} tensors, ${formatBytes(size)}`];
  });
  const metadata = [...model.metadata].map(([key, value]): [string, string] => [`  ${key}`, value]);
  return [...table(facts), 'tensor types', ...table(types), 'metadata', ...table(metadata), ''].join('\n');
};

const table = (rows: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`);
};

/** A file's text must not steer the terminal. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '\u{FFFD}');

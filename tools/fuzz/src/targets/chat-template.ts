/** Chat templates: programs from a grammar, real templates with changes, and messages of any shape. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ChatMessage, renderChatTemplate } from '@gallop/tokenizer';
import { mutateBytes } from '../mutation/bytes.ts';
import { mutateJson } from '../mutation/json.ts';
import { randomText } from '../mutation/text.ts';
import type { Random } from '../random.ts';
import type { FuzzTarget, JsonValue } from '../target.ts';

interface Case {
  readonly [key: string]: JsonValue;
  readonly template: string;
  readonly messages: JsonValue;
  readonly tools: JsonValue;
}

const folder = fileURLToPath(new URL('../../../conformance/cases/tokenizer/chat-template', import.meta.url));
const realTemplates: readonly string[] = globSync('*.json', { cwd: folder })
  .sort()
  .map((file) => (JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as { 'in.template': string })['in.template']);

const atoms = [
  'messages',
  'm',
  'm.role',
  "m['content']",
  'tools',
  'loop.index',
  'x',
  'none',
  'true',
  '1',
  '-3',
  '2.5',
  "'a'",
  "''",
  '[]',
  '{}',
  '[1, 2]',
  'messages[-1]',
  'range(3)',
  'range(100000)',
  'undefined_thing',
];
const operators = ['+', '-', '*', '/', '//', '%', '**', '~', '==', '!=', '<', 'in', 'not in', 'and', 'or', 'is'];
const filters = [
  'length',
  'upper',
  'trim',
  'tojson',
  'join',
  'list',
  'first',
  'reverse',
  'sort',
  'items',
  'default',
  'string',
  'int',
  'unique',
  'nothing',
];

function expression(random: Random, depth = 0): string {
  if (depth > 3 || random.chance(0.4)) return random.pick(atoms);
  const inner = (): string => expression(random, depth + 1);
  const forms = [
    () => `${inner()} ${random.pick(operators)} ${inner()}`,
    () => `(${inner()})`,
    () => `${inner()} | ${random.pick(filters)}`,
    () => `${inner()}[${inner()}]`,
    () => `${inner()}[${inner()}:${inner()}]`,
    () =>
      `${inner()}.${random.pick(['role', 'content', 'split', 'strip()', 'items()', 'append(1)', 'constructor', '__proto__', "replace('a', 'b')"])}`,
    () => `${inner()} if ${inner()} else ${inner()}`,
    () => `[${inner()}, ${inner()}]`,
    () => `{'k': ${inner()}}`,
    () => `not ${inner()}`,
  ];
  return random.pick(forms)();
}

function statements(random: Random, depth = 0): string {
  const body = (): string => (depth > 3 ? '' : statements(random, depth + 1));
  const forms = [
    () => randomText(random),
    () => `{{ ${expression(random)} }}`,
    () => `{%- set x = ${expression(random)} -%}`,
    () => `{% if ${expression(random)} %}${body()}{% else %}${body()}{% endif %}`,
    () => `{% for m in ${expression(random)} %}${body()}{% endfor %}`,
    () => `{% for m in messages if ${expression(random)} %}${body()}{% endfor %}`,
    () => `{% macro f(a) %}${body()}{% endmacro %}{{ f(${expression(random)}) }}`,
    () => '{% macro g() %}{{ g() }}{% endmacro %}{{ g() }}',
    () => '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}',
    () => "{% set n = namespace(s='ab') %}{% for a in range(90) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
  ];
  const rare = random.chance(0.03);
  return random.list(1, 3, () => random.pick(rare ? forms : forms.slice(0, -2))()).join('');
}

function template(random: Random): string {
  if (random.chance(0.5)) return statements(random);
  const source = random.pick(realTemplates);
  return new TextDecoder().decode(mutateBytes(new TextEncoder().encode(source), random));
}

function generate(random: Random): Case {
  const messages = random.list(0, 4, () => ({
    role: random.pick(['system', 'user', 'assistant', 'tool']),
    content: randomText(random),
  }));
  const tools = random.chance(0.3) ? [{ type: 'function', function: { name: 'f', parameters: {} } }] : null;
  return {
    template: template(random),
    messages: random.chance(0.3) ? mutateJson(messages, random) : messages,
    tools: tools && random.chance(0.3) ? mutateJson(tools, random) : tools,
  };
}

function run({ template: source, messages, tools }: Case): void {
  renderChatTemplate(source, messages as unknown as ChatMessage[], { tools: tools as unknown[] | null });
}

export const chatTemplate: FuzzTarget<Case> = { name: 'chat-template', generate, run };

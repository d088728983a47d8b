/** Chat templates: bounds on what they may do, and errors. The recorded cases hold the rendering itself. */
import { GallopError } from '@gallop/core';
import { describe, expect, test } from 'vitest';
import { renderChat } from './chat-template.ts';

const messages = [
  { role: 'user', content: 'a' },
  { role: 'assistant', content: 'b' },
];

test('renders messages and the beginning of the answer', () => {
  const template =
    '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';
  expect(renderChat(template, messages)).toBe('<user>a<assistant>b<assistant>');
});

test('filtered loops see what they should', () => {
  const template =
    "{% for m in messages if m.role == 'user' %}{{ loop.index }}{{ m.content }}{% else %}none{% endfor %}";
  expect(renderChat(template, messages)).toBe('1a');
  expect(renderChat(template, [])).toBe('none');
});

describe('a template that never ends is stopped', () => {
  test.each([
    ['loops in loops', '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'],
    [
      'a text that doubles',
      "{% set n = namespace(s='ab') %}{% for a in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
    ],
    [
      'a text that doubles by +',
      "{% set n = namespace(s='ab') %}{% for a in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}{{ n.s }}",
    ],
    [
      'a list that doubles',
      '{% set n = namespace(s=[1]) %}{% for a in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}',
    ],
    ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
    ['a repetition', "{{ 'ab' * 10000000 }}"],
  ])('%s', (_what, template) => {
    const began = performance.now();
    expect(() => renderChat(template, messages)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

test('two thousand messages are no endless loop', () => {
  const many = Array.from({ length: 2000 }, (_, index) => ({ role: 'user', content: `${index} `.repeat(100) }));
  const template =
    "{% for m in messages %}{% if loop.first %}{{ '<s>' }}{% endif %}[{{ m.role }}] {{ m.content | trim }}\n{% endfor %}";
  expect(renderChat(template, many).split('\n')).toHaveLength(2001);
});

test.each([
  ['{% for', 'invalid-file'],
  ['{{ (1 }}', 'invalid-file'],
  ["{{ raise_exception('no') }}", 'invalid-argument'],
  ['{{ messages | nothing }}', 'invalid-argument'],
])('%s is a typed error', (template, code) => {
  let thrown: unknown;
  try {
    renderChat(template, messages);
  } catch (error) {
    thrown = error;
  }
  expect(GallopError.isInstance(thrown)).toBe(true);
  expect(thrown).toMatchObject({ code });
});

/** Changes to JSON: values of other kinds, absent and repeated members, parts that change places. */
import type { Random } from '../random.ts';
import type { JsonValue } from '../target.ts';

const oddValues: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e308,
  -1e308,
  '',
  ' ',
  'a',
  '\u2581',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  [],
  {},
  [[]],
  [null],
  [0, 'a'],
  { type: 'Sequence' },
  { type: '__proto__' },
  { String: '' },
  { Regex: '(' },
  { Regex: '(a+)+$' },
  { Regex: '[' },
  { Regex: '\\p{Nothing}' },
  { Regex: '(?<a>\\g<a>)' },
  { Regex: 'a{1000000}' },
];

/** Every place in a value: the containers with the keys of their children. */
function places(value: JsonValue): (readonly [container: Record<string, JsonValue>, key: string])[] {
  if (typeof value !== 'object' || value === null) return [];
  const container = value as Record<string, JsonValue>;
  return Object.keys(container).flatMap((key) => [[container, key] as const, ...places(container[key])]);
}

/** A changed copy. */
export function mutateJson<Value extends JsonValue>(value: Value, random: Random): JsonValue {
  const root = { value: structuredClone(value) as JsonValue };
  for (let count = random.between(1, 4); count > 0; count--) {
    const all = places(root);
    if (all.length === 0) break;
    const [container, key] = random.pick(all);
    const [other, otherKey] = random.pick(all);
    const kind = random.below(5);
    if (kind === 0) container[key] = structuredClone(random.pick(oddValues));
    else if (kind === 1) container[key] = structuredClone(other[otherKey]);
    else if (kind === 2 && !Array.isArray(container)) delete container[key];
    else if (kind === 3 && Array.isArray(container)) container.push(structuredClone(container[Number(key)]) as never);
    else if (typeof container[key] === 'number') container[key] = Number(container[key]) + random.between(-2, 2);
    else container[key] = structuredClone(random.pick(oddValues));
    if (JSON.stringify(root).length > 200_000) break;
  }
  return root.value ?? null;
}

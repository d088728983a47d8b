/** How Python writes and compares the values of a template. */

/** A value of the template engine. */
export interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
}

/** str(value): what {{ value }} writes. */
export function pythonString(value: RuntimeValue): string {
  if (value.type === 'StringValue') return String(value.value);
  return value.type === 'UndefinedValue' ? '' : pythonRepr(value);
}

/** repr(value). */
export function pythonRepr(value: RuntimeValue): string {
  switch (value.type) {
    case 'NullValue':
      return 'None';
    case 'UndefinedValue':
      return 'Undefined';
    case 'BooleanValue':
      return value.value ? 'True' : 'False';
    case 'StringValue':
      return quoted(String(value.value));
    case 'FloatValue':
      return floatText(value.value as number);
    case 'ArrayValue':
      return `[${listItems(value).map(pythonRepr).join(', ')}]`;
    case 'TupleValue': {
      const items = listItems(value).map(pythonRepr);
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
    }
    case 'ObjectValue':
      return `{${mapEntries(value)
        .map(([key, item]) => `${quoted(key)}: ${pythonRepr(item)}`)
        .join(', ')}}`;
    default:
      return String(value.value);
  }
}

function floatText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return Object.is(value, -0) ? '-0.0' : value.toFixed(1);
  if (value !== 0 && Math.abs(value) < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
  }
  return Math.abs(value) >= 1e16 ? value.toExponential() : String(value);
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let result = quote;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (escapes[character]) result += escapes[character];
    else if (character === quote) result += `\\${quote}`;
    else if (code < 32 || (code >= 127 && code < 160)) result += `\\x${code.toString(16).padStart(2, '0')}`;
    else result += character;
  }
  return result + quote;
}

export function isList(value: RuntimeValue): boolean {
  return value.type === 'ArrayValue' || value.type === 'TupleValue';
}

/** The items of a list or tuple. */
export function listItems(value: RuntimeValue): readonly RuntimeValue[] {
  return value.value as readonly RuntimeValue[];
}

function mapEntries(value: RuntimeValue): [string, RuntimeValue][] {
  return [...(value.value as ReadonlyMap<string, RuntimeValue>)];
}

/** The number that a number or truth value stands for. */
export function numberOf(value: RuntimeValue): number | undefined {
  const numeric = value.type === 'IntegerValue' || value.type === 'FloatValue' || value.type === 'BooleanValue';
  return numeric ? Number(value.value) : undefined;
}

/** left == right. */
export function equalValues(left: RuntimeValue, right: RuntimeValue): boolean {
  const number = numberOf(left);
  if (number !== undefined) return number === numberOf(right);
  if (left.type !== right.type) return false;
  if (isList(left)) {
    const others = listItems(right);
    const items = listItems(left);
    return items.length === others.length && items.every((item, index) => equalValues(item, others[index]));
  }
  if (left.type === 'ObjectValue') {
    const others = right.value as ReadonlyMap<string, RuntimeValue>;
    const entries = mapEntries(left);
    return (
      entries.length === others.size &&
      entries.every(([key, item]) => others.has(key) && equalValues(item, others.get(key)!))
    );
  }
  return left.value === right.value;
}

/** The remainder with the sign of the divisor. */
export function pythonRemainder(left: number, right: number): number {
  const rest = left % right;
  return rest !== 0 && rest < 0 !== right < 0 ? rest + right : rest;
}

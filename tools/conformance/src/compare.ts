/**
 * Compares what an adapter returned with what a case recorded, and names the worst element. −∞ equals −∞ and NaN equals
 * NaN; −0 equals 0. Integer tensors (ids, codes, bytes) are equal or wrong, unless the case allows differences of one
 * and more: a relative tolerance means nothing for them.
 */
import type { Tolerance } from './case-file.ts';
import type { TensorValue } from './registry.ts';

/** How far off an element is, in units of what is allowed; above 1 is a failure. */
interface Mismatch {
  readonly message: string;
  readonly severity: number;
}

/** The worst difference over all outputs as a message, or undefined when everything agrees. */
export function compareOutputs(
  expected: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
  tolerance: Tolerance,
  isJson: boolean,
): string | undefined {
  let worst: Mismatch | undefined;
  for (const [name, value] of Object.entries(expected)) {
    const found = compareOutput(name, value, actual[name], tolerance, isJson);
    if (found !== undefined && (worst === undefined || found.severity > worst.severity)) worst = found;
  }
  return worst?.message;
}

function compareOutput(
  name: string,
  expected: unknown,
  actual: unknown,
  tolerance: Tolerance,
  isJson: boolean,
): Mismatch | undefined {
  if (actual === undefined) return fatal(`${name}: missing from the adapter's outputs`);
  return isJson
    ? compareJson(name, expected, actual, tolerance)
    : compareTensor(name, expected as TensorValue, actual, tolerance);
}

const fatal = (message: string): Mismatch => ({ message, severity: Number.POSITIVE_INFINITY });

function compareTensor(
  name: string,
  expected: TensorValue,
  actual: unknown,
  tolerance: Tolerance,
): Mismatch | undefined {
  const shape = (actual as { shape?: ArrayLike<number> }).shape;
  if (shape !== undefined && String([...Array.from(shape)]) !== String(expected.shape)) {
    return fatal(`${name}: expected shape [${expected.shape}]; received [${Array.from(shape)}]`);
  }
  const values = flatten((actual as { data?: unknown }).data ?? actual);
  if (values.length !== expected.data.length) {
    return fatal(`${name}: expected ${expected.data.length} elements; received ${values.length}`);
  }
  const allowed = /^[IUB]\d|^BOOL/.test(expected.dtype) ? integerTolerance(tolerance) : tolerance;
  let worst: Mismatch | undefined;
  for (let index = 0; index < values.length; index++) {
    const severity = excess(Number(expected.data[index]), Number(values[index]), allowed);
    if (severity > 1 && (worst === undefined || severity > worst.severity)) {
      worst = {
        severity,
        message: `${name}[${place(index, expected.shape)}]: ${off(expected.data[index], values[index])}`,
      };
    }
  }
  return worst;
}

function integerTolerance(tolerance: Tolerance): Tolerance {
  return tolerance !== 'exact' && tolerance.abs >= 1 ? { abs: tolerance.abs, rel: 0 } : 'exact';
}

/** Difference over what is allowed; 0 for equal, infinite for unequal where equality is asked. */
function excess(expected: number, actual: number, tolerance: Tolerance): number {
  if (expected === actual || (Number.isNaN(expected) && Number.isNaN(actual))) return 0;
  if (tolerance === 'exact' || !Number.isFinite(expected) || !Number.isFinite(actual)) return Number.POSITIVE_INFINITY;
  return Math.abs(expected - actual) / (tolerance.abs + tolerance.rel * Math.abs(expected));
}

function flatten(value: unknown): ArrayLike<unknown> {
  if (ArrayBuffer.isView(value)) return value as unknown as ArrayLike<unknown>;
  if (!Array.isArray(value)) return [value];
  return value.some((element) => typeof element === 'object')
    ? value.flatMap((part) => Array.from(flatten(part)))
    : value;
}

/** The coordinates of a flat index. */
function place(index: number, shape: readonly number[]): string {
  const coordinates: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    coordinates.unshift(index % shape[axis]);
    index = Math.floor(index / shape[axis]);
  }
  return coordinates.join(', ');
}

const off = (expected: unknown, actual: unknown): string => `expected ${show(expected)}, received ${show(actual)}`;

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}`;
  const text = (typeof value === 'number' ? String(value) : JSON.stringify(value)) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function compareJson(path: string, expected: unknown, actual: unknown, tolerance: Tolerance): Mismatch | undefined {
  if (typeof expected === 'number' && (typeof actual === 'number' || typeof actual === 'bigint')) {
    const severity = excess(expected, Number(actual), tolerance);
    return severity > 1 ? { severity, message: `${path}: ${off(expected, actual)}` } : undefined;
  }
  if (Array.isArray(expected)) {
    const list = ArrayBuffer.isView(actual) ? Array.from(actual as unknown as ArrayLike<unknown>) : actual;
    if (!Array.isArray(list)) return fatal(`${path}: ${off(expected, actual)}`);
    if (list.length !== expected.length) {
      return fatal(`${path}: expected ${expected.length} elements; received ${list.length}: ${off(expected, list)}`);
    }
    return worstOf(expected.map((value, index) => compareJson(`${path}[${index}]`, value, list[index], tolerance)));
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null) return fatal(`${path}: ${off(expected, actual)}`);
    const found = Object.fromEntries(Object.entries(actual).filter(([, value]) => value !== undefined));
    const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    return worstOf(
      names.map((name) =>
        compareJson(`${path}.${name}`, (expected as Record<string, unknown>)[name], found[name], tolerance),
      ),
    );
  }
  return expected === actual ? undefined : fatal(`${path}: ${off(expected, actual)}`);
}

function worstOf(mismatches: readonly (Mismatch | undefined)[]): Mismatch | undefined {
  let worst: Mismatch | undefined;
  for (const mismatch of mismatches) {
    if (mismatch !== undefined && (worst === undefined || mismatch.severity > worst.severity)) worst = mismatch;
  }
  return worst;
}

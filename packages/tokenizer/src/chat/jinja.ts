/**
 * Jinja through @huggingface/jinja, with the Python semantics that it leaves out: repeated strings and lists, remainders
 * with the sign of the divisor, equality of lists and mappings, and how numbers, truth values, None and lists are written.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import {
  equalValues,
  isList,
  listItems,
  numberOf,
  pythonRemainder,
  pythonString,
  type RuntimeValue,
} from './python-values.ts';
import { StepBudget } from './step-budget.ts';
import { formatTime } from './strftime.ts';

/** Renders with the given variables. */
export type CompiledTemplate = (variables: Readonly<Record<string, unknown>>) => string;

/** Variables of the engine. */
interface EngineScope {
  set(name: string, value: unknown): unknown;
}

/** The engine's interpreter; its published types do not resolve under Node's rules for modules. */
interface Engine {
  run(program: unknown): RuntimeValue;
  evaluate(node: unknown, scope: EngineScope): RuntimeValue;
}

const EngineInterpreter = Interpreter as unknown as new (scope: EngineScope) => Engine;
const Scope = Environment as unknown as new (parent?: EngineScope) => EngineScope;

/** A node of the syntax tree, and two kinds of our own: a value already known, and an expression whose text is written. */
type TreeNode =
  | { readonly type: 'Evaluated'; readonly value: RuntimeValue }
  | { readonly type: 'Written'; readonly expression: TreeNode }
  | { readonly type: string; readonly [field: string]: unknown };

interface LoopNode {
  readonly type: 'For';
  readonly iterable: { readonly type: string; readonly lhs?: TreeNode };
  readonly [field: string]: unknown;
}

interface BinaryNode {
  readonly operator: { readonly value: string };
  readonly left: TreeNode;
  readonly right: TreeNode;
}

/** Longest text or list that a repetition makes. */
const LONGEST_REPETITION = 1_000_000;

class PythonInterpreter extends EngineInterpreter {
  readonly #budget = new StepBudget();

  override evaluate(node: unknown, scope: EngineScope): RuntimeValue {
    this.#budget.spend(1);
    const value = this.#evaluate(node as TreeNode, scope);
    if (value && node) this.#budget.spendOn((node as TreeNode).type, value);
    return value;
  }

  #evaluate(node: TreeNode, scope: EngineScope): RuntimeValue {
    if (node?.type === 'Evaluated') return node.value as RuntimeValue;
    if (node?.type === 'For') return this.#for(node as unknown as LoopNode, scope);
    if (node?.type === 'Written') {
      return this.#text(pythonString(this.evaluate(node.expression as TreeNode, scope)), scope);
    }
    if (node?.type === 'BinaryExpression') return this.#binary(node, scope);
    return this.#engine(node, scope);
  }

  #engine(node: TreeNode, scope: EngineScope): RuntimeValue {
    return super.evaluate(node, scope);
  }

  /** A loop, whose rounds are paid for before the first. */
  #for(node: LoopNode, scope: EngineScope): RuntimeValue {
    const { iterable } = node;
    const isFiltered = iterable.type === 'SelectExpression';
    const value = this.evaluate(isFiltered ? iterable.lhs : iterable, scope);
    this.#budget.spendOnLoop(value);
    const known: TreeNode = { type: 'Evaluated', value };
    return this.#engine({ ...node, iterable: isFiltered ? { ...iterable, lhs: known } : known }, scope);
  }

  #text(value: string, scope: EngineScope): RuntimeValue {
    return this.#engine({ type: 'StringLiteral', value }, scope);
  }

  #binary(node: TreeNode, scope: EngineScope): RuntimeValue {
    const binary = node as unknown as BinaryNode;
    const operator = binary.operator.value;
    if (operator === 'and' || operator === 'or') return this.#engine(node, scope);
    const left = this.evaluate(binary.left, scope);
    const right = this.evaluate(binary.right, scope);
    const result = this.#pythonResult(operator, left, right);
    if (result) return this.#engine(result, scope);
    const known = (value: RuntimeValue): TreeNode => ({ type: 'Evaluated', value });
    return this.#engine({ ...node, left: known(left), right: known(right) }, scope);
  }

  /** The result of an operator, as a literal, where Python's differs from the library's. */
  #pythonResult(operator: string, left: RuntimeValue, right: RuntimeValue): TreeNode | undefined {
    switch (operator) {
      case '==':
        return truth(equalValues(left, right));
      case '!=':
        return truth(!equalValues(left, right));
      case '~':
        return { type: 'StringLiteral', value: pythonString(left) + pythonString(right) };
      case 'in':
      case 'not in':
        if (!isList(right)) return undefined;
        return truth(listItems(right).some((item) => equalValues(item, left)) === (operator === 'in'));
      case '*':
        return repeated(left, right) ?? repeated(right, left);
      case '%': {
        const [dividend, divisor] = [numberOf(left), numberOf(right)];
        if (!dividend || !divisor) return undefined;
        const float = left.type === 'FloatValue' || right.type === 'FloatValue';
        return { type: float ? 'FloatLiteral' : 'IntegerLiteral', value: pythonRemainder(dividend, divisor) };
      }
      case '<':
      case '>':
      case '<=':
      case '>=':
        return left.type === 'StringValue' && right.type === 'StringValue' ? ordered(operator, left, right) : undefined;
      default:
        return undefined;
    }
  }
}

function truth(value: boolean): TreeNode {
  return { type: 'Identifier', value: value ? 'True' : 'False' };
}

function ordered(operator: string, left: RuntimeValue, right: RuntimeValue): TreeNode {
  const [first, second] = [String(left.value), String(right.value)];
  if (first === second) return truth(operator.endsWith('='));
  return truth(first < second === operator.startsWith('<'));
}

/** text * count and list * count. */
function repeated(value: RuntimeValue, times: RuntimeValue): TreeNode | undefined {
  if (times.type !== 'IntegerValue' && times.type !== 'BooleanValue') return undefined;
  const count = Math.max(Number(times.value), 0);
  const length =
    value.type === 'StringValue' ? String(value.value).length : isList(value) ? listItems(value).length : 0;
  if (length * count > LONGEST_REPETITION) throw new RangeError('repetition is too long');
  if (value.type === 'StringValue') return { type: 'StringLiteral', value: String(value.value).repeat(count) };
  if (!isList(value)) return undefined;
  const items = listItems(value).map((item) => ({ type: 'Evaluated', value: item }));
  return { type: 'ArrayLiteral', value: Array.from({ length: count }, () => items).flat() };
}

/** Statements, which write nothing by themselves, and text, which stands as it is. */
const notWritten = new Set([
  'Set',
  'If',
  'For',
  'Macro',
  'CallStatement',
  'FilterStatement',
  'Break',
  'Continue',
  'Comment',
  'StringLiteral',
]);

/** Marks the expressions of all blocks as written. */
function markWritten(value: unknown, isBlock: boolean): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => {
      const marked = markWritten(item, false);
      const written = isBlock && !notWritten.has((item as TreeNode).type);
      return written ? { type: 'Written', expression: marked } : marked;
    });
  }
  if (typeof value !== 'object' || value === null || value instanceof Map) return value;
  const node = value as Record<string, unknown>;
  const result: Record<string, unknown> = Object.create(Object.getPrototypeOf(value) as object);
  for (const [key, child] of Object.entries(node)) {
    const block = Array.isArray(child) && ['body', 'alternate', 'defaultBlock'].includes(key);
    result[key] = markWritten(child, block);
  }
  return result;
}

function range(start: number, stop?: number | null, step?: number | null): number[] {
  const [from, to] = stop === undefined || stop === null ? [0, start] : [start, stop];
  const stride = step ?? 1;
  const count = Math.max(0, Math.ceil((to - from) / stride));
  if (!(count <= 100_000)) throw new RangeError('range is too long or its step is 0');
  return Array.from({ length: count }, (_, index) => from + index * stride);
}

function globals(): EngineScope {
  const environment = new Scope();
  for (const [name, value] of Object.entries({ true: true, false: false, none: null })) {
    environment.set(name, value);
    environment.set(name.charAt(0).toUpperCase() + name.slice(1), value);
  }
  environment.set('range', range);
  environment.set('strftime_now', (format: string) => formatTime(new Date(), format));
  environment.set('raise_exception', (message: unknown) => {
    throw new Error(String(message));
  });
  return environment;
}

/** @throws SyntaxError for a source that is no template. */
export function compileTemplate(source: string): CompiledTemplate {
  const program = markWritten(parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })), false);
  return (variables) => {
    const environment = new Scope(globals());
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    return String(new PythonInterpreter(environment).run(program).value);
  };
}

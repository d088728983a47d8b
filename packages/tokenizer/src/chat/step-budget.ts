/**
 * How much work one rendering may be. A chat template is a program that comes with a model file; loops in loops or a text
 * that doubles must end in an error, not in a page that hangs.
 */
import { isList, listItems, type RuntimeValue } from './python-values.ts';

/** Expressions and statements, with loop rounds and created values counted as several. */
const MOST_STEPS = 2_000_000;
const STEPS_OF_ROUND = 8;
const CHARACTERS_OF_STEP = 16;
const LONGEST_TEXT = 2 ** 24;

/** Nodes whose value is a new one, not a part of the variables. */
const creating = new Set(['BinaryExpression', 'CallExpression', 'FilterExpression', 'FilterStatement', 'ArrayLiteral']);

export class StepBudget {
  #left = MOST_STEPS;

  /** @throws RangeError when nothing is left. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new RangeError(`more than ${MOST_STEPS} steps`);
  }

  /** Pays for what a node made. */
  spendOn(nodeType: string, value: RuntimeValue): void {
    if (!creating.has(nodeType)) return;
    if (isList(value)) this.spend(listItems(value).length);
    else if (value.type === 'StringValue') {
      const { length } = String(value.value);
      if (length > LONGEST_TEXT) throw new RangeError(`a text of ${length} characters`);
      this.spend(length / CHARACTERS_OF_STEP);
    }
  }

  /** Pays for the rounds of a loop over a value. */
  spendOnLoop(value: RuntimeValue): void {
    if (isList(value)) this.spend(listItems(value).length * STEPS_OF_ROUND);
    else if (value.value instanceof Map) this.spend(value.value.size * STEPS_OF_ROUND);
  }
}

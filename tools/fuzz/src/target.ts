/** What is fuzzed: a way to make inputs and a way to use one. */
import type { Random } from './random.ts';

/** Bytes of a file, or anything that JSON can hold. */
export type FuzzInput = Uint8Array | JsonValue;

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface FuzzTarget<Input extends FuzzInput = FuzzInput> {
  readonly name: string;
  generate(random: Random): Input;
  /** Uses an input. A GallopError refuses it; anything else that is thrown is a finding. */
  run(input: Input): void | Promise<void>;
}

/** Thrown by a target that got a wrong answer. */
export class WrongAnswer extends Error {}

/** @throws WrongAnswer unless the condition holds. */
export function require(condition: boolean, message: () => string): void {
  if (!condition) throw new WrongAnswer(message());
}

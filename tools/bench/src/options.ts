/** Values of the command line: what each option accepts. */

import { InvalidArgumentError } from 'commander';

/** Parses a whole number from `least`. */
export const countFrom =
  (least: number) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
  };

/** Parses whole numbers from 1 with commas between them. */
export const countsValue = (text: string): readonly number[] => text.split(',').map(countFrom(1));

/** Collects an option that may be given several times. */
export const append = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text];

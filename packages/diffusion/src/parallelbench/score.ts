/** Whether an answer is right: 0 or 1, for the answer read kindly and for exactly the form that was asked for. */
import { parseList, parseListStrictly } from './parse.ts';

export interface Score {
  readonly score: number;
  readonly scoreStrict: number;
}

type Parsed = readonly string[];

const same = (a: Parsed, b: Parsed): boolean => a.length === b.length && a.every((item, index) => item === b[index]);

/** Scores a list by a rule, in both readings. */
const scoreList = (prediction: string, right: (items: Parsed) => boolean): Score => {
  const strict = parseListStrictly(prediction);
  return { score: Number(right(parseList(prediction))), scoreStrict: Number(strict !== null && right(strict)) };
};

/** The list of a reference answer. */
export const scoreListMatch = (prediction: string, reference: string): Score =>
  scoreList(prediction, (items) => same(items, parseList(reference)));

/** Any other order of the same items. */
export const scoreShuffle = (prediction: string, { input }: { readonly input: Parsed }): Score =>
  scoreList(prediction, (items) => same([...items].sort(), [...input].sort()) && !same(items, input));

export interface EditReference {
  readonly input: Parsed;
  readonly word: string;
}

/** The input with the word anywhere in it. */
export const scoreInsertRandom = (prediction: string, { input, word }: EditReference): Score =>
  scoreList(prediction, (items) => {
    const at = items.indexOf(word);
    return at >= 0 && same([...items.slice(0, at), ...items.slice(at + 1)], input);
  });

/** The input without any one of its items. */
export const scoreRemoveRandom = (prediction: string, { input }: { readonly input: Parsed }): Score =>
  scoreList(prediction, (items) => {
    if (items.length !== input.length - 1) return false;
    return input.some((_, index) => same(items, [...input.slice(0, index), ...input.slice(index + 1)]));
  });

/** The input with any one item replaced by the word. */
export const scoreReplaceRandom = (prediction: string, { input, word }: EditReference): Score =>
  scoreList(prediction, (items) => {
    const at = items.indexOf(word);
    if (at < 0 || items.length !== input.length) return false;
    return same(items, [...input.slice(0, at), word, ...input.slice(at + 1)]);
  });

const both = (right: boolean): Score => ({ score: Number(right), scoreStrict: Number(right) });

/** A Latin square; lines that do not hold exactly the symbols are dropped, and only the first ones count. */
export const scoreLatinSquare = (prediction: string, { symbols }: { readonly symbols: Parsed }): Score => {
  const wanted = new Set(symbols);
  const holdsAll = (cells: Parsed): boolean =>
    new Set(cells).size === wanted.size && cells.every((cell) => wanted.has(cell));
  const rows = prediction
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter(holdsAll)
    .slice(0, symbols.length);
  if (rows.length < symbols.length) return both(false);
  const width = Math.min(...rows.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, column) => rows.map((row) => row[column]));
  return both(columns.every(holdsAll));
};

/** A sudoku of four rows. */
export const scoreSudoku = (prediction: string, solution: string): Score => {
  const digits = (text: string): string[] => text.split('\n').map((line) => line.replace(/[^0-9]/g, ''));
  const wanted = digits(solution).filter((line) => line.length === 4);
  const found = digits(prediction).filter((line) => line.length === 4);
  const lines = prediction.split('\n').filter((line) => line.trim() !== '');
  const exact = lines.length === 4 && lines.every((line) => /^[0-9]{4}$/.test(line));
  const right = found.length === 4 && same(found, wanted);
  return { score: Number(right), scoreStrict: Number(right && exact) };
};

export interface DominoReference {
  readonly length: number;
  readonly start: number;
}

/** A chain of two-digit numbers of the right length and beginning. */
export const scoreDomino = (prediction: string, { length, start }: DominoReference): Score => {
  const chains = (numbers: readonly number[]): boolean =>
    numbers.length === length &&
    numbers[0] === start &&
    numbers.every((number, index) => {
      const follows = index === 0 || Math.floor(number / 10) === numbers[index - 1] % 10;
      return number >= 11 && number <= 99 && follows;
    });
  const strict = parseListStrictly(prediction);
  const exact = strict?.every((item) => /^[+-]?[0-9]+$/.test(item)) && chains(strict.map(Number));
  const all = (prediction.match(/[0-9]+/g) ?? []).map(Number);
  return { score: Number(chains(all)), scoreStrict: Number(exact === true) };
};

/** A whole number: anywhere in the text, or as the whole text. */
export const scoreArithmetic = (prediction: string, { result }: { readonly result: string }): Score => {
  const text = prediction.replaceAll(',', '').trim();
  const exact = /^[+-]?[0-9]+$/.test(text) && BigInt(text.replace('+', '')) === BigInt(result);
  return { score: Number(text.includes(result)), scoreStrict: Number(exact) };
};

/**
 * A sentence with all the words (as parts of the text, capital letters count) and nothing for a grammar checker to find.
 *
 * @param isGrammatical whether a checker has no complaint
 */
export const scoreSentence = (
  prediction: string,
  words: Parsed,
  isGrammatical: (text: string) => boolean,
): { readonly inclusion: number; readonly score: number } => {
  const inclusion = Number(words.every((word) => prediction.includes(word)));
  return { inclusion, score: Number(inclusion === 1 && isGrammatical(prediction)) };
};

/** Whether a text is not blank: a placeholder that finds no fault in grammar and says so by its name. */
export const anyTextIsGrammatical = (text: string): boolean => text.trim() !== '';

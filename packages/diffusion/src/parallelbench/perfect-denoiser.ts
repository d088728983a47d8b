/**
 * What parallel decoding costs a model that knows the truth. A step draws its positions independently from their exact
 * marginals, given what is decided; where positions depend on each other, it can so write what is in no right answer. These are
 * closed forms over a finite set of right answers: no sampler with the same number of tokens a step can do better at random.
 */
import { requireArgument } from '@gallop/core';
import { requireWhole } from '../loop/checks.ts';
import { entropyInNats } from '../propose/distribution.ts';

/** Answers all equally likely; one that is listed twice is twice as likely. */
export type AnswerSet = readonly ArrayLike<number>[];

const checkAnswers = (answers: AnswerSet): number => {
  const length = answers[0]?.length ?? 0;
  requireArgument(length > 0 && length <= 20 && answers.every((answer) => answer.length === length), () => {
    return `Expected answers of one length from 1 to 20; received ${answers.length} of others; correct them.`;
  });
  return length;
};

/** Groups answers by what they hold at some positions. */
const groups = (answers: AnswerSet, positions: readonly number[]): AnswerSet[] => {
  const found = new Map<string, ArrayLike<number>[]>();
  for (const answer of answers) {
    const key = positions.map((position) => answer[position]).join(',');
    const group = found.get(key);
    if (group) group.push(answer);
    else found.set(key, [answer]);
  }
  return [...found.values()];
};

/** The share of answers that hold at one position what a group's first answer holds there. */
const share = (answers: AnswerSet, position: number, token: number): number =>
  answers.filter((answer) => answer[position] === token).length / answers.length;

/** Conditional total correlation in nats: Σ H(yᵢ) − H(y), the least divergence of a single parallel step. */
export const totalCorrelation = (answers: AnswerSet): number => {
  const length = checkAnswers(answers);
  const entropyAt = (positions: readonly number[]): number =>
    entropyInNats(groups(answers, positions).map((group) => group.length / answers.length));
  const everywhere = Array.from({ length }, (_, position) => position);
  return everywhere.reduce((sum, position) => sum + entropyAt([position]), 0) - entropyAt(everywhere);
};

/**
 * Chance that a right answer comes out when `perStep` positions are drawn at a time.
 *
 * @param order `random`: every choice of positions is equally likely; `left`: the leftmost ones
 * @returns for perStep = 1, 2, …, the length of the answers
 */
export const perfectAccuracies = (answers: AnswerSet, order: 'random' | 'left'): Float64Array => {
  const length = checkAnswers(answers);
  return Float64Array.from({ length }, (_, index) => perfectAccuracy(answers, order, index + 1));
};

export const perfectAccuracy = (answers: AnswerSet, order: 'random' | 'left', perStep: number): number => {
  const length = checkAnswers(answers);
  requireWhole('perStep', perStep, 1, length);
  return accuracyFrom(
    answers,
    Array.from({ length }, (_, position) => position),
    order,
    perStep,
  );
};

const accuracyFrom = (
  answers: AnswerSet,
  open: readonly number[],
  order: 'random' | 'left',
  perStep: number,
): number => {
  if (open.length === 0) return 1;
  const count = Math.min(perStep, open.length);
  const choices = order === 'left' ? [open.slice(0, count)] : [...subsets(open, count)];
  let total = 0;
  for (const positions of choices) {
    const rest = open.filter((position) => !positions.includes(position));
    for (const group of groups(answers, positions)) {
      const probability = positions.reduce((product, at) => product * share(answers, at, group[0][at]), 1);
      total += probability * accuracyFrom(group, rest, order, perStep);
    }
  }
  return total / choices.length;
};

function* subsets(items: readonly number[], count: number): Iterable<number[]> {
  if (count === 0) yield [];
  else {
    for (let index = 0; index + count <= items.length; index++) {
      for (const rest of subsets(items.slice(index + 1), count - 1)) yield [items[index], ...rest];
    }
  }
}

/** Chance that m of r open items of a shuffle, drawn independently, are all different: r! / ((r − m)! r^m). */
export const shuffleStepAccuracy = (open: number, drawn: number): number => {
  requireWhole('open', open, 1);
  requireWhole('drawn', drawn, 0, open);
  let product = 1;
  for (let index = 0; index < drawn; index++) product *= (open - index) / open;
  return product;
};

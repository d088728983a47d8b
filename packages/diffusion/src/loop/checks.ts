/** What is wrong with a request, said before anything is computed. */
import { GallopError, type LanguageModel, requireArgument } from '@gallop/core';

/** Checks that a number is whole and within [from, to]. */
export const requireWhole = (name: string, value: number, from: number, to: number = Number.MAX_SAFE_INTEGER): void => {
  requireArgument(Number.isSafeInteger(value) && value >= from && value <= to, () => {
    const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
    return `Expected ${name} to be a whole number ${range}; received ${value}; correct it.`;
  });
};

/** Checks that a number is at least `from`; infinite ones only where `infinite`. */
export const requireNumber = (name: string, value: number, from: number, infinite: boolean = false): void => {
  requireArgument(value >= from && (infinite || Number.isFinite(value)), () => {
    return `Expected ${name} to be a ${infinite ? '' : 'finite '}number from ${from}; received ${value}; correct it.`;
  });
};

/** Checks a threshold on probabilities. Above 1 it never holds, which is an allowed way to commit one token a step. */
export const requireThreshold = (name: string, value: number): void => {
  requireArgument(value > 0, () => {
    return `Expected ${name} to be above 0 (above 1 or Infinity: one token a step); received ${value}; correct it.`;
  });
};

/** Checks that a canvas can be run on a model and tells its mask token. */
export const checkCanvas = (model: LanguageModel, canvas: Int32Array, start: number, mask?: number): number => {
  const maskToken = mask ?? model.tokens.mask;
  if (maskToken === undefined) {
    throw new GallopError(
      'unsupported',
      'Expected a masked-diffusion model; received one without a mask token; name it in maskToken or load another model.',
    );
  }
  if (!model.capabilities.bidirectional) {
    throw new GallopError(
      'unsupported',
      'Expected a model whose rows can see each other; received one that only looks back; load a masked-diffusion model.',
    );
  }
  requireWhole('maskToken', maskToken, 0, model.vocabSize - 1);
  requireWhole('start', start, 0, canvas.length);
  if (canvas.length > model.contextLength) {
    throw new GallopError(
      'context-overflow',
      `Expected at most ${model.contextLength} positions, prompt and answer together; received ${canvas.length}; shorten them.`,
    );
  }
  requireArgument(
    canvas.every((id) => id >= 0 && id < model.vocabSize),
    () =>
      `Expected ids from 0 to ${model.vocabSize - 1}; received others; encode the prompt with this model's tokenizer.`,
  );
  return maskToken;
};

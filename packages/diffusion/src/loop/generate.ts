/** The ways to begin: an answer behind a prompt, or holes in a text. */
import { type LanguageModel, requireArgument } from '@gallop/core';
import { requireWhole } from './checks.ts';
import { type DiffuseOptions, diffuse } from './diffuse.ts';
import type { Sampler } from './sampler.ts';
import type { DiffusionStep } from './step.ts';

/**
 * Writes `length` tokens behind a prompt.
 *
 * @param length positions to generate, from 1
 * @throws GallopError as `diffuse`
 */
export const continuePrompt = (
  model: LanguageModel,
  prompt: ArrayLike<number>,
  length: number,
  sampler: Sampler,
  options: DiffuseOptions = {},
): AsyncGenerator<DiffusionStep, void, undefined> => {
  requireWhole('length', length, 1, Math.max(1, model.contextLength));
  const canvas = canvasOf([prompt, length], options.maskToken ?? model.tokens.mask ?? 0);
  return diffuse({ model, canvas, start: prompt.length }, sampler, options);
};

/** Pieces of a text in order: ids that stay, or the number of tokens to write there. */
export type Segments = readonly (ArrayLike<number> | number)[];

/**
 * Fills the holes of a text, with everything before and after them in view.
 *
 * @param segments for a prefix, a hole and a suffix: `[prefix, 8, suffix]`; any number of holes, each from 0 tokens
 * @throws GallopError as `diffuse`
 */
export const infill = (
  model: LanguageModel,
  segments: Segments,
  sampler: Sampler,
  options: DiffuseOptions = {},
): AsyncGenerator<DiffusionStep, void, undefined> => {
  let length = 0;
  for (const segment of segments) {
    if (typeof segment === 'number') requireWhole('the size of a hole', segment, 0, model.contextLength);
    length += typeof segment === 'number' ? segment : segment.length;
  }
  requireArgument(length >= 1 && length <= model.contextLength, () => {
    return `Expected segments of 1 to ${model.contextLength} positions together; received ${length}; shorten them.`;
  });
  return diffuse({ model, canvas: canvasOf(segments, options.maskToken ?? model.tokens.mask ?? 0) }, sampler, options);
};

/** The canvas of some segments. */
export const canvasOf = (segments: Segments, maskToken: number): Int32Array =>
  Int32Array.from(
    segments.flatMap((segment) =>
      typeof segment === 'number' ? new Array<number>(segment).fill(maskToken) : Array.from(segment),
    ),
  );

/** Runs to the end and gives the last step's canvas, or the given one when nothing was to do. */
export const finish = async (
  steps: AsyncIterable<DiffusionStep>,
  canvas: Int32Array = new Int32Array(0),
): Promise<Int32Array> => {
  let ids = canvas;
  for await (const step of steps) ids = step.ids;
  return ids;
};

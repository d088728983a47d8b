/** Gradients against finite differences, and the properties that the estimators are chosen for. */
import { randomUniform } from '@gallop/core';
import { expect, test } from 'vitest';
import { FilterTrainer, filterLoss } from './filter-training.ts';
import { blockDiffusionLoss, certaintyForcingLoss, maskedDiffusionLoss, noiseViews } from './losses.ts';
import { antitheticTimes, blockDiffusionMask, likelihoodMaskCounts } from './masks.ts';
import {
  centredAdvantages,
  coupledLoss,
  coupledMasks,
  leaveOneOutAdvantages,
  trajectoryLoss,
} from './policy-gradient.ts';

const vocabSize = 5;
const random = (count: number, seed: number, scale: number = 2): Float32Array =>
  Float32Array.from({ length: count }, (_, position) => scale * randomUniform({ seed, position }) - scale / 2);

/** Compares a gradient with central differences. */
const checkGradient = (
  logits: Float32Array,
  run: (logits: Float32Array) => { loss: number; gradient: Float64Array },
): void => {
  const { gradient } = run(logits);
  const step = 2 ** -8;
  for (let index = 0; index < logits.length; index++) {
    const at = (change: number): number =>
      run(logits.map((value, place) => (place === index ? value + change : value))).loss;
    expect((at(step) - at(-step)) / (2 * step)).toBeCloseTo(gradient[index], 3);
  }
};

test('gradients are those of the losses', () => {
  const logits = random(6 * vocabSize, 1);
  const [ids, masked] = [
    [0, 1, 2, 3, 4, 0],
    [1, 0, 1, 1, 0, 1],
  ];
  checkGradient(logits, (own) =>
    maskedDiffusionLoss({ logits: own, vocabSize, ids, masked, probabilities: [0.5, 0.7], promptLengths: [0, 1] }),
  );
  checkGradient(logits, (own) => blockDiffusionLoss({ logits: own, vocabSize, ids, masked }, 0.4, 2));
  // Each row has a clear best token, so that a small change makes none right or wrong.
  const best = Array.from({ length: 6 }, (_, row) => (2 * row) % vocabSize);
  const clear = logits.map(
    (value, index) => value + (index % vocabSize === best[Math.floor(index / vocabSize)] ? 3 : 0),
  );
  const answers = best.map((token, row) => (row < 3 ? token : (token + 1) % vocabSize));
  checkGradient(clear, (own) => certaintyForcingLoss({ logits: own, vocabSize, targets: masked }, answers));
});

test('policy gradients are those of the losses', () => {
  const options = { epsilon: 0.2, beta: 0.1 };
  const logits = random(2 * 2 * 3 * vocabSize, 2);
  const shared = { steps: 2, batch: 2, length: 3, promptLength: 1, vocabSize, advantages: [1, -0.5] };
  const states = Array.from({ length: 18 }, (_, index) => index % vocabSize);
  const unmasked = [1, 0, 1, 1, 0, 1, 0, 0];
  const [old, reference] = [random(8, 3).map((value) => value - 1.6), random(8, 4).map((value) => value - 1.6)];
  const values = { oldLogProbabilities: old, referenceLogProbabilities: reference };
  checkGradient(logits, (own) => trajectoryLoss({ ...shared, ...values, logits: own, states, unmasked }, options));
  const coupled = random(3 * 3 * vocabSize, 5);
  const input = {
    batch: 1,
    length: 3,
    promptLength: 1,
    vocabSize,
    ratio: 0.4,
    ids: [1, 2, 3],
    uniforms: [0.9, 0.1, 0.8],
  };
  const extra = { advantages: [0.7], completionMask: [1, 1], oldEstimate: [-3, -3.2], referenceEstimate: [-3.3, -2.9] };
  checkGradient(coupled, (own) => coupledLoss({ ...input, ...extra, logits: own }, options));
});

test('the filter learns, and its gradients are those of its loss', () => {
  const size = 3;
  const [hidden, output] = [random(9, 6), random(9, 7)];
  const filter = { hidden, hiddenBias: random(size, 8), output, outputBias: random(size, 9) };
  const confidences = Array.from({ length: 30 }, (_, position) => randomUniform({ seed: 10, position }));
  const correct = confidences.map((value) => Number(value > 0.6));
  const { gradients } = filterLoss(filter, confidences, correct);
  for (const name of ['hidden', 'hiddenBias', 'output', 'outputBias'] as const) {
    for (let index = 0; index < filter[name].length; index++) {
      const at = (change: number): number => {
        const moved = Float64Array.from(filter[name], (value, place) => (place === index ? value + change : value));
        return filterLoss({ ...filter, [name]: moved }, confidences, correct).loss;
      };
      expect((at(1e-5) - at(-1e-5)) / 2e-5).toBeCloseTo(gradients[name][index], 5);
    }
  }
  const trainer = new FilterTrainer(filter, { learningRate: 0.03 });
  const first = trainer.step(confidences, correct).loss;
  for (let step = 0; step < 500; step++) trainer.step(confidences, correct);
  expect(trainer.step(confidences, correct).loss).toBeLessThan(first / 2);
});

test('coupled masks hide every answer token in exactly one of two views', () => {
  const ids = [1, 2, 3, 4, 1, 2];
  const uniforms = [0.1, 0.9, 0.2, 0.6, 0.3, 0.3];
  const { first, second, full } = coupledMasks(ids, uniforms, { length: 6, promptLength: 2, ratio: 0.3, maskToken: 9 });
  for (const [index, id] of ids.entries()) {
    const hidden = [first, second].filter((view) => view[index] === 9).length;
    expect(hidden).toBe(index < 2 ? 0 : 1);
    expect(full[index]).toBe(index < 2 ? id : 9);
  }
  const hand = { batch: 1, length: 2, promptLength: 1, vocabSize: 2, ratio: 0.5, ids: [0, 0], uniforms: [0, 0] };
  const row = (p: number): number[] => [Math.log(p), Math.log(1 - p)];
  const logits = Float32Array.from([...row(Math.exp(-2)), 0, 0, ...row(Math.exp(-1)), 0, 0, 0, 0, 0, 0]);
  const { estimate } = coupledLoss({ ...hand, logits, advantages: [1], completionMask: [1] }, {});
  expect(estimate[0]).toBeCloseTo(-2, 5);
});

test('views, masks, times and counts', () => {
  const ids = Int32Array.from({ length: 10 }, (_, index) => index);
  const [one, two] = noiseViews(ids, [0.1, 0.9, 0.2, 0.8], { promptLength: 2, blockSize: 4, block: 1, maskToken: 99 });
  expect([...one.ids]).toEqual([0, 1, 2, 3, 4, 5, 99, 7, 99, 9]);
  expect([...two.ids]).toEqual([0, 1, 2, 3, 4, 5, 6, 99, 8, 99]);
  const mask = blockDiffusionMask(4, 2);
  const seenBy = (row: number): number[] =>
    [...mask.subarray(row * 8, row * 8 + 8).keys()].filter((at) => mask[row * 8 + at]);
  expect(seenBy(2)).toEqual([2, 3, 4, 5]);
  expect(seenBy(6)).toEqual([4, 5, 6, 7]);
  const times = antitheticTimes([0.5, 0.5], { batch: 1, length: 4, blockSize: 2, low: 0, high: 1 });
  expect([...times]).toEqual([0.25, 0.25, 0.75, 0.75]);
  expect([...likelihoodMaskCounts(8, 4, 7)].every((count) => count >= 1 && count <= 8)).toBe(true);
});

test('advantages sum to nothing within a group', () => {
  for (const advantages of [centredAdvantages([1, 0, 0, 1], 2), leaveOneOutAdvantages([1, 0, 0.5, 1], 4, true)]) {
    expect(advantages.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 10);
  }
  expect([...leaveOneOutAdvantages([1, 0], 2)]).toEqual([1, -1]);
});

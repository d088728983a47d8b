/** Losses of diffusion training, their gradients, advantages, and the learned filter's training step. */
import {
  blockDiffusionLoss,
  centredAdvantages,
  certaintyForcingLoss,
  coupledLoss,
  FilterTrainer,
  leaveOneOutAdvantages,
  maskedDiffusionLoss,
  noise,
  trajectoryLoss,
} from '@gallop/diffusion';
import { register } from '../registry.ts';
import { count, draws, filterOf, floats, integers, numbers, option, shaped } from './diffusion-shared.ts';

register('diffusion', 'baselines', 'masked-diffusion-loss', (context) => {
  const { shape } = context.tensor('logits');
  const promptLengths = context.inputs.promptLengths ? { promptLengths: integers(context, 'promptLengths') } : {};
  const options = { ...promptLengths, ...option(context, 'eps', 'eps') };
  const { masked, probabilities } = noise(draws(context, 'mask'), draws(context, 'time'), options);
  const { loss, gradient } = maskedDiffusionLoss({
    ...{ logits: floats(context, 'logits'), vocabSize: shape[2], ids: integers(context, 'ids') },
    ...{ masked, probabilities, ...promptLengths },
  });
  return { loss, gradLogits: shaped(gradient, shape), masked: shaped(masked, shape.slice(0, 2)) };
});

register('diffusion', 'sdar', 'block-diffusion-loss', (context) => {
  const { shape } = context.tensor('logits');
  const { loss, gradient } = blockDiffusionLoss(
    {
      ...{ logits: floats(context, 'logits'), vocabSize: shape[1], ids: integers(context, 'ids') },
      masked: numbers(context.tensor('masked')),
    },
    count(context, 'maskProbability'),
    count(context, 'promptLength'),
  );
  return { loss, gradLogits: shaped(gradient, shape) };
});

register('diffusion', 'dparallel', 'certainty-forcing-loss', (context) => {
  const ids = integers(context, 'ids');
  const options = {
    ...option(context, 'entropyTemperature', 'entropyTemperature'),
    ...option(context, 'entropyWeight', 'entropyWeight'),
  };
  const { shape } = context.tensor('firstLogits');
  const vocabSize = shape[2];
  const [first, second] = ['first', 'second'].map((name) => {
    const view = {
      logits: floats(context, `${name}Logits`),
      vocabSize,
      targets: numbers(context.tensor(`${name}Targets`)),
    };
    return certaintyForcingLoss(view, ids, options);
  });
  return {
    loss: first.loss + second.loss,
    gradFirst: shaped(first.gradient, shape),
    gradSecond: shaped(second.gradient, shape),
  };
});

register('diffusion', 'eoser-ass-cj-grpo', 'cj-grpo-loss', (context) => {
  const { shape } = context.tensor('logits');
  const [steps, batch, length, vocabSize] = shape;
  const promptLength = count(context, 'promptLength');
  const has = (name: string): boolean => context.inputs[name] !== undefined && count(context, 'iterations') !== 1;
  const { loss, gradient, logProbabilities } = trajectoryLoss(
    {
      ...{ steps, batch, length, vocabSize, promptLength, logits: floats(context, 'logits') },
      ...{ states: integers(context, 'states'), unmasked: numbers(context.tensor('unmasked')) },
      advantages: floats(context, 'advantages'),
      ...(has('oldLogProbabilities') && { oldLogProbabilities: floats(context, 'oldLogProbabilities') }),
      ...(context.inputs.referenceLogProbabilities !== undefined && {
        referenceLogProbabilities: floats(context, 'referenceLogProbabilities'),
      }),
    },
    { ...option(context, 'epsilon', 'epsilon'), ...option(context, 'beta', 'beta') },
  );
  return {
    ...{ loss, gradLogits: shaped(gradient, shape) },
    logProbabilities: shaped(logProbabilities, [steps, batch, length - promptLength]),
  };
});

register('diffusion', 'eoser-ass-cj-grpo', 'advantages', (context) => ({
  advantages: centredAdvantages(floats(context, 'rewards'), count(context, 'groupSize')),
}));

register('diffusion', 'diffucoder', 'leave-one-out-advantages', (context) => ({
  advantages: leaveOneOutAdvantages(
    floats(context, 'rewards'),
    count(context, 'groupSize'),
    context.params.scale === true,
  ),
}));

register('diffusion', 'diffucoder', 'coupled-grpo-loss', (context) => {
  const { shape } = context.tensor('logits');
  const [rows, length, vocabSize] = shape;
  const batch = rows / 3;
  const promptLength = count(context, 'promptLength');
  const has = (name: string): boolean => context.inputs[name] !== undefined && count(context, 'iterations') !== 1;
  const { loss, gradient, estimate } = coupledLoss(
    {
      ...{ batch, length, vocabSize, promptLength, ratio: count(context, 'ratio'), logits: floats(context, 'logits') },
      ...{
        ids: integers(context, 'ids'),
        uniforms: draws(context, 'matrix'),
        advantages: floats(context, 'advantages'),
      },
      completionMask: integers(context, 'completionMask'),
      ...(has('oldEstimate') && { oldEstimate: floats(context, 'oldEstimate') }),
      ...(context.inputs.referenceEstimate !== undefined && {
        referenceEstimate: floats(context, 'referenceEstimate'),
      }),
    },
    { ...option(context, 'epsilon', 'epsilon'), ...option(context, 'beta', 'beta') },
  );
  const estimates = shaped(estimate, [batch, length - promptLength]);
  return { loss, gradLogits: shaped(gradient, shape), estimate: estimates };
});

register('diffusion', 'learn2pd-eotp', 'filter-train-step', (context) => {
  const trainer = new FilterTrainer(filterOf(context), {
    ...option(context, 'learningRate', 'learningRate'),
    ...option(context, 'weightDecay', 'weightDecay'),
    ...option(context, 'eps', 'eps'),
    betas: context.params.betas as [number, number],
  });
  const { loss, gradients } = trainer.step(floats(context, 'confidence'), floats(context, 'correct'));
  const size = gradients.hiddenBias.length;
  const named = (prefix: string, arrays: typeof gradients): [string, unknown][] =>
    Object.entries(arrays).map(([name, data]) => [
      `${prefix}.${name}`,
      shaped(data, name.endsWith('Bias') ? [size] : [size, size]),
    ]);
  return { loss, ...Object.fromEntries([...named('grad', gradients), ...named('updated', trainer.weights)]) };
});

/** SDAR's loop and its block-causal logits. */
import { blockCausalLogits, blockCausalMask, type SdarOptions, sdarSampler } from '@gallop/diffusion';
import { register } from '../registry.ts';
import {
  count,
  draws,
  option,
  recorded,
  rowsComputed,
  rowsOf,
  runOutputs,
  runRows,
  shaped,
  withModel,
} from './diffusion-shared.ts';

const compatible = true;

register('diffusion', 'sdar', 'generate', (context) =>
  withModel(context, 'same', async (model) => {
    const { params, randoms } = context;
    const uniforms = randoms.uniforms ? draws(context, 'uniforms') : [];
    const blockLength = count(context, 'blockLength');
    const sampler = sdarSampler({
      ...{
        blockLength,
        steps: count(context, 'steps'),
        strategy: params.strategy as NonNullable<SdarOptions['strategy']>,
      },
      ...{
        temperature: count(context, 'temperature'),
        confidenceSource: params.confidenceSource as 'filtered' | 'unfiltered',
      },
      ...option(context, 'threshold', 'threshold'),
      ...option(context, 'entropyBound', 'entropyBound'),
      ...option(context, 'topP', 'topP'),
      ...(count(context, 'topK') > 0 && { topK: count(context, 'topK') }),
      ...((params.stopId ?? null) !== null && { endTokens: new Set([count(context, 'stopId')]) }),
      compatible,
    });
    const logitBias =
      params.banMaskToken === true ? new Map([[count(context, 'maskId'), Number.NEGATIVE_INFINITY]]) : undefined;
    const random = recorded({ token: (pass, _position, row) => uniforms[pass * blockLength + row] });
    const runs = await runRows(context, model, sampler, () => random, logitBias);
    const { steps } = runs[0];
    const outputs = runOutputs(context, runs);
    const { data, shape } = outputs.states as { data: number[]; shape: number[] };
    return {
      ...outputs,
      states: shaped(data, [shape[0], shape[2]]),
      rowsComputed: rowsComputed(steps),
      stored: Int32Array.from(steps, ({ kind }) => Number(kind !== 'denoise')),
    };
  }),
);

register('diffusion', 'sdar', 'block-causal-logits', (context) =>
  withModel(context, 'same', async (model) => {
    const blockLength = count(context, 'blockLength');
    const [batch, length] = context.tensor('ids').shape;
    const all: number[] = [];
    for (const ids of rowsOf(context.tensor('ids'))) {
      all.push(...(await blockCausalLogits(model.openSession(), Int32Array.from(ids), blockLength)));
    }
    const logits = shaped(all, [batch, length, model.vocabSize]);
    return { logits, cachedLogits: logits, mask: shaped(blockCausalMask(length, blockLength), [length, length]) };
  }),
);

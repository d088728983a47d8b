/** Dream's loops, on models whose rows predict the next position. */
import {
  cachedDreamSampler,
  type DiffusionRandom,
  type DreamOptions,
  dreamSampler,
  type Sampler,
} from '@gallop/diffusion';
import { type CaseContext, register } from '../registry.ts';
import { asNumber, count, option, runOutputs, runRows, sizes, withModel } from './diffusion-shared.ts';

const compatible = true;

const dreamOptions = (context: CaseContext): DreamOptions => ({
  ...{ ...sizes(context), compatible: context.params.mode !== 'strict' },
  algorithm: context.params.algorithm as NonNullable<DreamOptions['algorithm']>,
  ...option(context, 'temperature', 'temperature'),
  ...option(context, 'topP', 'topP'),
  ...(asNumber(context.params.topK) > 0 && { topK: count(context, 'topK') }),
  ...option(context, 'algTemp', 'algTemp'),
  ...option(context, 'eps', 'eps'),
  ...option(context, 'threshold', 'threshold'),
  ...option(context, 'factor', 'factor'),
});

/** Dream's draws: tensors numbered in order of use, each over the masked positions of the whole batch, row after row. */
const dreamDraws = (context: CaseContext): ((row: number) => DiffusionRandom) => {
  const { randoms, params } = context;
  const sampled = (asNumber(params.temperature) ?? 0) > 0;
  const origin = params.algorithm === 'origin';
  const drawsPositions = !origin && Boolean(params.algTemp);
  const batch = context.tensor('prompt').shape[0];
  const used = new Map<string, number>();
  return (row) => {
    /** The next draw of a tensor: rows of `origin` take what they need, others an equal share each. */
    const next = (tensor: number): number => {
      const { data } = randoms[String(tensor)];
      const key = origin ? String(tensor) : `${tensor}:${row}`;
      const index = used.get(key) ?? 0;
      used.set(key, index + 1);
      return Number(data[origin ? index : (row * data.length) / batch + index]);
    };
    const numbered = new Map<string, number>();
    const inOrder = (draw: string): number => {
      if (!numbered.has(draw)) numbered.set(draw, numbered.size);
      return numbered.get(draw)!;
    };
    const tokenTensor = (pass: number): number => (drawsPositions ? inOrder(`token ${pass}`) : pass);
    return {
      token: (pass) => next(origin ? pass * 2 + 1 : tokenTensor(pass)),
      commit: (pass) => next(sampled ? pass * 2 : pass),
      pick: (pass, index) => Number(randoms[String(inOrder(`pick ${pass} ${index}`))].data[row]),
    };
  };
};

/** Registers a loop on a model whose rows predict the next position. */
const dreamLoop = (operation: string, sampler: (context: CaseContext) => Sampler): void =>
  register('diffusion', 'baselines', operation, (context) =>
    withModel(context, 'next', async (model) =>
      runOutputs(context, await runRows(context, model, sampler(context), dreamDraws(context))),
    ),
  );

dreamLoop('dream-generate', (context) => dreamSampler(dreamOptions(context)));
dreamLoop('dream-block-generate', (context) => dreamSampler(dreamOptions(context)));
dreamLoop('dream-cached-generate', (context) =>
  cachedDreamSampler({
    ...{ ...sizes(context), cache: context.params.cache as 'prefix' | 'dual', compatible },
    ...option(context, 'eps', 'eps'),
    ...option(context, 'topP', 'topP'),
    ...option(context, 'topK', 'topK'),
    threshold: (context.params.threshold ?? null) === null ? null : count(context, 'threshold'),
  }),
);

/** Diffusion loops on tiny models. */
import type { LanguageModel } from '@gallop/core';
import {
  adaBlockSampler,
  ascendingSampler,
  canvasModel,
  type DiffusionRandom,
  dParallelSampler,
  dualCache,
  eoserSampler,
  fastDllmSampler,
  learn2pdSampler,
  lladaSampler,
  localLeapSampler,
  oracleTrace,
  prefixCache,
  remaskingDecode,
  type Sampler,
} from '@gallop/diffusion';
import { type CaseContext, type CaseOutputs, register } from '../registry.ts';
import {
  cacheOf,
  count,
  denoising,
  filterOf,
  integers,
  numberedNoise,
  option,
  rowsOf,
  runOutputs,
  runRows,
  shaped,
  sizes,
  stackedNoise,
  withModel,
} from './diffusion-shared.ts';

const compatible = true;

/** Registers a loop on a model whose rows predict themselves. */
const loop = (method: string, operation: string, sampler: (context: CaseContext) => Sampler): void =>
  register('diffusion', method, operation, (context) =>
    withModel(context, 'same', async (model) => {
      const random = context.randoms.uniforms ? stackedNoise(context) : numberedNoise(context);
      return runOutputs(context, await runRows(context, model, sampler(context), random));
    }),
  );

const llada = (context: CaseContext): Sampler => {
  const { params } = context;
  return lladaSampler({
    ...{ ...sizes(context), compatible: (params.eosSuppression ?? 'code') === 'code' },
    ...option(context, 'temperature', 'temperature'),
    ...option(context, 'cfgScale', 'guidance'),
    ...(params.remasking === 'random' && { remasking: 'random' as const }),
    ...(params.logitsEosInf === true && { forbidden: [params.eosId as number] }),
    ...(params.confidenceEosEotInf === true && {
      discounted: { endOfText: params.eosId as number, endOfTurn: params.endOfTurnId as number },
    }),
  });
};

loop('baselines', 'llada-generate', llada);
loop('baselines', 'dkv-generate', (context) =>
  lladaSampler({ ...sizes(context), compatible, refreshEvery: count(context, 'cacheSteps') }),
);
loop('baselines', 'fast-dllm-generate', (context) =>
  fastDllmSampler({
    ...{ ...sizes(context), ...cacheOf(context), compatible, temperature: count(context, 'temperature') ?? 0 },
    ...option(context, 'factor', 'factor'),
    threshold: (context.params.threshold ?? null) === null ? null : count(context, 'threshold'),
  }),
);
loop('dparallel', 'generate', (context) =>
  dParallelSampler({
    ...{ ...sizes(context), ...cacheOf(context), compatible },
    ...option(context, 'temperature', 'temperature'),
    entropyThreshold: (context.params.entropyThreshold ?? null) === null ? null : count(context, 'entropyThreshold'),
  }),
);
loop('localleap', 'generate', (context) => {
  const { params } = context;
  const end = params.eosId as number;
  return localLeapSampler({
    ...{ ...sizes(context), ...cacheOf(context), compatible, anchorThreshold: count(context, 'anchorThreshold') },
    relaxedThreshold: (params.relaxedThreshold ?? null) === null ? null : count(context, 'relaxedThreshold'),
    radius: count(context, 'radius'),
    ...(params.earlyStop === true && { earlyStop: { endTokens: new Set([end]), fill: end } }),
  });
});
loop('eoser-ass-cj-grpo', 'eoser-generate', (context) =>
  eoserSampler({
    ...{ ...sizes(context), ...penalty(context), compatible, temperature: count(context, 'temperature') },
    stepIndex: context.params.stepIndex as 'global' | 'withinBlock',
  }),
);
const penalty = (context: CaseContext): { endTokens: ReadonlySet<number>; minimum?: number; maximum?: number } => ({
  endTokens: new Set([count(context, 'eosId')]),
  ...option(context, 'minimum', 'minimum'),
  ...option(context, 'maximum', 'maximum'),
});
const ascending = (context: CaseContext): Sampler =>
  ascendingSampler({
    ...{ length: count(context, 'genLength'), compatible, temperature: count(context, 'temperature') },
    ...option(context, 'blocks', 'blocks'),
    ...option(context, 'steps', 'steps'),
    ...(context.params.schedule !== undefined && {
      endPenalty: { ...penalty(context), schedule: context.params.schedule as 'linear' | 'ass' },
    }),
  });
loop('eoser-ass-cj-grpo', 'ass-generate', ascending);
loop('eoser-ass-cj-grpo', 'eoser-ass-generate', ascending);

register('diffusion', 'eoser-ass-cj-grpo', 'ass-errors', (context) => rejects(() => ascending(context)));
register('diffusion', 'baselines', 'llada-errors', (context) => rejects(() => llada(context)));

/** 1 where a call is refused. */
const rejects = (call: () => unknown): CaseOutputs => {
  try {
    call();
    return { error: 0 };
  } catch {
    return { error: 1 };
  }
};

register('diffusion', 'adablock-dllm', 'generate', (context) =>
  withModel(context, 'same', async (model) => {
    const { params } = context;
    const sampler = adaBlockSampler({
      ...{
        length: count(context, 'genLength'),
        ...cacheOf(context),
        compatible,
        threshold: count(context, 'threshold'),
      },
      delimiters: new Set(params.delimiterIds as number[]),
      delimiterThreshold: count(context, 'delimiterThreshold'),
      defaultBlockLength: count(context, 'defaultBlockLength'),
      window: params.windowMode as 'budget' | 'progress',
      temperature: count(context, 'temperature'),
    });
    const runs = await runRows(context, model, sampler, numberedNoise(context));
    const steps = denoising(runs[0]);
    const blocks = [...new Map(steps.map(({ block }) => [block.index, block])).values()];
    return {
      ...runOutputs(context, runs),
      blockLengths: Int32Array.from(blocks, ({ start, end }) => end - start),
      forwardPassesPerBlock: Int32Array.from(
        blocks,
        ({ index }) => steps.filter(({ block }) => block.index === index).length,
      ),
    };
  }),
);

register('diffusion', 'baselines', 'generate-on-logits', async (context) => {
  const { data, shape } = context.tensor('logits');
  const [, batch, rows, vocabSize] = shape;
  const maskToken = count(context, 'maskId');
  const uniforms = context.randoms.confidence;
  const runs = [];
  for (let row = 0; row < batch; row++) {
    let call = -1;
    // The logits of a call are those of its number: a call begins with its first row.
    const model: LanguageModel = canvasModel({ vocabSize, maskToken, logits: ({ position }) => at(call, position) });
    const at = (pass: number, position: number): Float32Array => {
      const start = ((pass * batch + row) * rows + position) * vocabSize;
      return (data as Float32Array).subarray(start, start + vocabSize);
    };
    const counted: LanguageModel = {
      ...model,
      openSession: () => {
        const session = model.openSession();
        const forward = session.forward.bind(session);
        session.forward = (request) => {
          call++;
          return forward(request);
        };
        return session;
      },
    };
    const random: DiffusionRandom = {
      ...stackedNoise(context)(row, 0),
      ...(uniforms && { commit: (pass, position) => Number(uniforms.data[(pass * batch + row) * rows + position]) }),
    };
    const prompt = context.tensor('prompt');
    const length = prompt.shape[1];
    const own = {
      ...prompt,
      data: integers(context, 'prompt').slice(row * length, (row + 1) * length),
      shape: [1, length],
    };
    const part = { ...context, inputs: { ...context.inputs, prompt: own }, tensor: () => own };
    runs.push(...(await runRows(part, counted, llada(context), () => random)));
  }
  return runOutputs(context, runs);
});

register('diffusion', 'baselines', 'fast-dllm-forward', (context) =>
  withModel(context, 'same', async (model) => {
    const { data: before, shape } = context.tensor('idsAtCache');
    const policy = context.params.cache === 'prefix' ? prefixCache() : dualCache();
    const { vocabSize } = model;
    const [batch, length] = shape;
    const [start, end] = [count(context, 'blockStart'), count(context, 'blockEnd')];
    const last = context.params.cache === 'prefix' ? length : end;
    const [full, part]: [number[], number[]] = [[], []];
    const every = Int32Array.from({ length }, (_, position) => position);
    for (let row = 0; row < batch; row++) {
      const ids = (data: ArrayLike<number>): Int32Array =>
        Int32Array.from(data).slice(row * length, (row + 1) * length);
      const session = model.openSession();
      const run = policy({ session, alignment: 'same', vocabSize, guidance: 0, signal: undefined });
      const block = { index: 0, start, end, firstStep: 0 };
      const canvas = { ids: ids(before as Int32Array), start, maskToken: -1 };
      const first = await run.pass(canvas, block, 0, every);
      for (const position of every) full.push(...first.logits(position));
      canvas.ids = ids(context.tensor('ids').data as Int32Array);
      const later = await run.pass(canvas, block, 1, every.slice(start, last));
      for (let position = start; position < last; position++) part.push(...later.logits(position));
    }
    return {
      fullLogits: shaped(full, [batch, length, vocabSize]),
      logits: shaped(part, [batch, last - start, vocabSize]),
    };
  }),
);

register('diffusion', 'learn2pd-eotp', 'generate', (context) =>
  withModel(context, 'same', async (model) => {
    const mode = context.params.mode as 'l2p' | 'l2p_eot' | 'eot';
    const sampler = learn2pdSampler({
      ...{ ...sizes(context), ...cacheOf(context), compatible, threshold: count(context, 'threshold') },
      ...(mode !== 'eot' && { filter: filterOf(context) }),
      ...(mode !== 'l2p' && { endOfText: count(context, 'endOfTextId') }),
    });
    const outputs = runOutputs(context, await runRows(context, model, sampler));
    const { data, shape } = outputs.states as { data: number[]; shape: number[] };
    return { ...outputs, states: shaped(data, [shape[0], shape[2]]) };
  }),
);

register('diffusion', 'learn2pd-eotp', 'oracle-trace', (context) =>
  withModel(context, 'same', async (model) => {
    const prompt = integers(context, 'prompt');
    const blockLength = count(context, 'blockLength');
    const answer = integers(context, 'reference').slice(prompt.length);
    const samples = [];
    for await (const sample of oracleTrace({
      model,
      prompt,
      answer,
      blockLength,
      maskToken: count(context, 'maskId'),
    })) {
      samples.push(sample);
    }
    const shape = [samples.length, blockLength];
    return {
      steps: Int32Array.from(samples, ({ step }) => step),
      confidence: shaped(
        samples.flatMap(({ confidences }) => [...confidences]),
        shape,
      ),
      correct: shaped(
        samples.flatMap(({ correct }) => [...correct]),
        shape,
      ),
    };
  }),
);

register('diffusion', 'parallelbench', 'remdm-generate', (context) =>
  withModel(context, 'same', async (model) => {
    const prompts = rowsOf(context.tensor('prompt'));
    const maskToken = count(context, 'maskId');
    const length = count(context, 'genLength');
    const all: number[][][] = [];
    for (const prompt of prompts) {
      const canvas = Int32Array.from([...prompt, ...new Array<number>(length).fill(maskToken)]);
      const states = [[...canvas]];
      const options = {
        ...{ ...sizes(context), length },
        ...{ remaskSteps: count(context, 'remaskSteps'), remaskCount: count(context, 'remaskCount') },
      };
      const steps = remaskingDecode({ model, canvas, start: prompt.length }, options, { compatible });
      for await (const { ids } of steps) states.push([...ids]);
      all.push(states);
    }
    const calls = all[0].length;
    const data = Array.from({ length: calls }, (_, call) => all.flatMap((states) => states[call])).flat();
    return { states: shaped(data, [calls, prompts.length, all[0][0].length]), forwardPasses: calls - 1 };
  }),
);

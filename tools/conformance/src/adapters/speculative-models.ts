/** Speculative loops on tiny models: prompt lookup, Token Recycling, SpecDec++, early exit. */
import type { LanguageModel, Session } from '@gallop/core';
import { openHuggingFaceFolder } from '@gallop/formats/node';
import { loadLanguageModel } from '@gallop/models';
import {
  acceptanceHead,
  acceptanceStop,
  type DecodingStep,
  draftModelDrafter,
  promptLookupDrafter,
  type RandomSource,
  RecyclingMatrix,
  type SelfSpeculationRound,
  type SpeculateOptions,
  selfSpeculate,
  speculate,
  tokenRecyclingDrafter,
} from '@gallop/speculative';
import { type CaseContext, type CaseOutputs, register, type TensorValue } from '../registry.ts';
import { withBackend } from './models-backend.ts';
import { integers, matrix, padded, rowsOf } from './speculative-shared.ts';

type Loader = (name: string) => Promise<LanguageModel>;

/** Runs a body that can load the case's models, in float32. */
export const withModels = (context: CaseContext, body: (load: Loader) => Promise<CaseOutputs>): Promise<CaseOutputs> =>
  withBackend(async (backend) => {
    const loaded: LanguageModel[] = [];
    const load = async (name: string): Promise<LanguageModel> => {
      const files = await openHuggingFaceFolder(context.modelFolder(context.params[name] as string));
      const model = await loadLanguageModel(files, backend, { activations: 'f32' });
      files.weights.close();
      loaded.push(model);
      return model;
    };
    try {
      return await body(load);
    } finally {
      for (const model of loaded) model.dispose();
    }
  });

const count = ({ params }: CaseContext, name: string): number => params[name] as number;

/** A state that holds all but the last token, which the recorded runs take as the first root. */
export const prefilled = async (model: LanguageModel, tokens: Int32Array): Promise<Session> => {
  const session = model.openSession();
  const ids = tokens.slice(0, -1);
  if (ids.length > 0) {
    await session.forward({ ids });
    session.commit(Int32Array.from(ids.keys()));
  }
  return session;
};

/** Steps of a run until `isEnough`, which may keep the last step from being learned from. */
async function collect(
  model: LanguageModel,
  prompt: Int32Array,
  options: SpeculateOptions,
  isEnough: (tokens: readonly number[], step: DecodingStep) => boolean,
): Promise<{ tokens: number[]; steps: DecodingStep[] }> {
  const session = await prefilled(model, prompt);
  const tokens: number[] = [];
  const steps: DecodingStep[] = [];
  for await (const step of speculate({ model, session, tokens: prompt }, options)) {
    tokens.push(...step.tokens);
    steps.push(step);
    if (isEnough(tokens, step)) break;
  }
  session.dispose();
  return { tokens, steps };
}

register('speculative', 'core-verification', 'lookup-end-to-end', (context) =>
  withModels(context, async (load) => {
    const model = await load('model');
    const prompt = integers(context, 'prompt');
    const uniforms = context.randoms.uniforms.data;
    const random = { next: (position: number) => Number(uniforms[position - prompt.length]) } as RandomSource;
    const options = { temperature: count(context, 'temperature'), random, ignoreEnd: true };
    const mode = context.params.lookupMode === 'specBench' ? 'spec-bench' : 'transformers';
    const drafter = promptLookupDrafter({
      ...{ maxNgram: count(context, 'maxNgram'), numPredicted: count(context, 'numPredicted'), mode },
    });
    const enough = (tokens: readonly number[]): boolean => tokens.length >= count(context, 'maxNewTokens');
    const { tokens, steps } = await collect(model, prompt, { ...options, drafter }, enough);
    return {
      tokens: Int32Array.from(tokens),
      vanillaTokens: Int32Array.from((await collect(model, prompt, options, enough)).tokens),
      acceptLengths: Int32Array.from(steps, ({ accepted }) => accepted + 1),
      drafted: Int32Array.from(steps, ({ drafted }) => drafted),
    };
  }),
);

register('speculative', 'token-recycling', 'end-to-end', (context) =>
  withModels(context, async (load) => {
    const model = await load('model');
    const { vocabSize } = model;
    const recycling = new RecyclingMatrix({ vocabSize, topK: count(context, 'topK') });
    const drafter = tokenRecyclingDrafter({ matrix: recycling, unknown: 'zeros' });
    const eos = context.params.eosToken as number | null;
    const outputs: CaseOutputs = {};
    for (let request = 0; request < count(context, 'requests'); request++) {
      const prompt = integers(context, `${request}.prompt`);
      // The token behind the path is pending: it does not count and is not part of the text.
      const { tokens, steps } = await collect(
        model,
        prompt,
        { drafter, budget: 4096, ignoreEnd: true },
        (all, step) => all.length - 1 > count(context, 'maxNewTokens') || step.tokens.some((token) => token === eos),
      );
      const committed = tokens.slice(0, -1);
      outputs[`${request}.tokens`] = Int32Array.from(committed);
      outputs[`${request}.newTokens`] = committed.length;
      outputs[`${request}.acceptLengths`] = Int32Array.from(steps, ({ accepted }) => accepted + 1);
      outputs[`${request}.treeTokens`] = padded(steps.map(({ tree }) => tree.tokens));
      outputs[`${request}.matrix`] = padded(
        Array.from({ length: vocabSize }, (_, token) => recycling.get(token) ?? new Int32Array(recycling.topK)),
      );
    }
    return outputs;
  }),
);

/** Draws by round, a round being what has one root. */
const drawsByRound = (randoms: Readonly<Record<string, TensorValue>>): RandomSource => {
  const table = (name: string): number[][] => (randoms[name] ? rowsOf(randoms[name]) : []);
  const [draft, accept] = [table('draft'), table('accept')];
  const roots: number[] = [];
  const round = (root: number): number => {
    if (roots[roots.length - 1] !== root) roots.push(root);
    return roots.length - 1;
  };
  return {
    draft: (root, index) => draft[round(root)][index],
    accept: (root, row) => accept[round(root)][row - 1],
    next: () => Number(randoms.next.data[roots.length - 1]),
  };
};

register('speculative', 'specdec-pp', 'end-to-end', (context) =>
  withModels(context, async (load) => {
    const [model, draftModel] = [await load('targetModel'), await load('draftModel')];
    const { params, weights, randoms } = context;
    const tensors = Object.fromEntries(
      Object.entries(weights).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
    );
    const head = acceptanceHead(tensors, {
      blocks: count(context, 'blocks'),
      sharedBlocks: params.sharedBlocks === true,
    });
    const prompt = integers(context, 'prompt');
    const endTokens = new Set(typeof params.eosToken === 'number' ? [params.eosToken] : []);
    const [threshold, minimum, maximum] = ['threshold', 'minimum', 'maximum'].map((name) => count(context, name));
    const temperature = params.sample === true ? count(context, 'temperature') : 0;
    const drafter = draftModelDrafter({
      ...{ model: draftModel, maximum, endTokens, crop: 'published', drafting: 'sampled' },
      stop: acceptanceStop(head, { threshold, minimum, maximum }),
    });
    const limit = count(context, 'maxNewTokens');
    const random = temperature > 0 ? { random: drawsByRound(randoms) } : {};
    const options: SpeculateOptions = { drafter, temperature, endTokens, verification: 'rejection', ...random };
    const { steps } = await collect(model, prompt, options, (all) => all.length >= limit);
    const withEnd = steps.flatMap((step) => [...step.tokens, ...(step.end === undefined ? [] : [step.end])]);
    let left = limit;
    const committed = steps.map((step) => {
      const kept = Math.min(left, step.tokens.length + (step.end === undefined ? 0 : 1));
      left -= kept;
      return kept;
    });
    return {
      tokens: Int32Array.from(withEnd.slice(0, limit)),
      drafted: Int32Array.from(steps, ({ drafted }) => drafted),
      committed: Int32Array.from(committed),
      rejectedTotal: steps.reduce((sum, { drafted, accepted }) => sum + drafted - accepted, 0),
      targetTokensFed: steps.reduce((sum, { fed }) => sum + fed, prompt.length - 1),
      draftTokensFed: drafter.rowsFed,
    };
  }),
);

async function rounds(
  model: LanguageModel,
  prompt: Int32Array,
  options: Parameters<typeof selfSpeculate>[1],
  each: (round: SelfSpeculationRound) => void,
): Promise<CaseOutputs> {
  const session = model.openSession();
  const all: SelfSpeculationRound[] = [];
  for await (const round of selfSpeculate({ model, session, tokens: prompt }, { ...options, ignoreEnd: true })) {
    all.push(round);
    each(round);
  }
  return {
    tokens: Int32Array.from(all.flatMap(({ tokens }) => tokens)),
    drafted: Int32Array.from(all, ({ drafted }) => drafted),
    accepted: Int32Array.from(all, ({ accepted }) => accepted),
    ...totals(all, model.layerCount),
    exitLayer: Int32Array.from(all, ({ exitLayer }) => exitLayer),
  };
}

const totals = (all: readonly SelfSpeculationRound[], layers: number): CaseOutputs => {
  const sum = (value: (round: SelfSpeculationRound) => number): number =>
    all.reduce((total, round) => total + value(round), 0);
  return {
    acceptanceRate: sum(({ accepted }) => accepted) / sum(({ drafted }) => drafted),
    tokensPerLayer: sum(({ accepted }) => accepted + 1) / sum(({ exitLayer, drafted }) => exitLayer * drafted + layers),
  };
};

register('speculative', 'del', 'end-to-end', (context) =>
  withModels(context, async (load) => {
    const model = await load('model');
    const matches: number[] = [];
    const confidences: number[] = [];
    const outputs = await rounds(
      model,
      integers(context, 'prompt'),
      {
        exit: context.params.draftExit as 'confidence' | 'tpl',
        maxTokens: count(context, 'maxNewTokens'),
        decay: count(context, 'omega'),
        maximumDrafts: count(context, 'maximumDrafts'),
        prefillContext: count(context, 'prefillContext'),
      },
      ({ statistics }) => {
        matches.push(...statistics!.matchCounts);
        confidences.push(...statistics!.confidenceSums);
      },
    );
    const shape = [matches.length / (2 * (model.layerCount - 1)), model.layerCount - 1, 2];
    return { ...outputs, matchCounts: { data: matches, shape }, confidenceSums: { data: confidences, shape } };
  }),
);

register('speculative', 'del', 'static-rounds', (context) =>
  withModels(context, async (load) => {
    const model = await load('model');
    const lengths: SelfSpeculationRound[] = [];
    const exit = { layer: count(context, 'exitLayer'), drafts: count(context, 'drafts') };
    const { tokens, drafted, accepted } = await rounds(
      model,
      integers(context, 'prompt'),
      { exit, maxTokens: count(context, 'maxNewTokens') },
      (round) => lengths.push(round),
    );
    const table = (pick: (round: SelfSpeculationRound) => Int32Array): unknown =>
      matrix(Int32Array.from(lengths.flatMap((round) => [...pick(round)])), model.layerCount);
    return {
      ...{ tokens, drafted, accepted },
      layerLengthsAfterDraft: table(({ afterDraft }) => afterDraft),
      layerLengthsAfterVerify: table(({ afterVerify }) => afterVerify),
      layerLengthsAfterCrop: table(({ afterCommit }) => afterCommit),
    };
  }),
);

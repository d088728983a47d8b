/** Parts of diffusion samplers: proposals, scores, commit rules, schedules, blocks, masks, measures. */
import {
  acceptedByFilter,
  adaBlockLength,
  antitheticTimes,
  ascendingPlan,
  type Block,
  bestToken,
  blockDiffusionMask,
  commitAbove,
  commitAroundAnchors,
  commitBest,
  commitByFactor,
  commitCertain,
  commitFiltered,
  confidence,
  coupledMasks,
  decodingOrder,
  endOfTextPrediction,
  endPenalty,
  endPenaltyFactor,
  entropyInNats,
  filteredProposer,
  filterLogits,
  firstHit,
  globalAutoregressiveness,
  guide,
  likelihoodMaskCounts,
  localAutoregressiveness,
  noiseViews,
  noisyProposer,
  orderCorrelation,
  packedTrainingMask,
  passAtK,
  perfectAccuracies,
  probabilitiesOf,
  type RowContext,
  type StepView,
  scorers,
  substitutedProbabilities,
  timeGridCounts,
  totalCorrelation,
  uniformCounts,
} from '@gallop/diffusion';
import { type CaseContext, register } from '../registry.ts';
import {
  candidatesOf,
  commitRows,
  count,
  draws,
  filterOf,
  flags,
  floats,
  integers,
  numbers,
  option,
  recorded,
  rowsOf,
  shaped,
} from './diffusion-shared.ts';

const noBlock: Block = { index: 0, start: 0, end: 0, firstStep: 0 };
const context = (row: number, random: Partial<RowContext['random']> = {}): RowContext => ({
  ...{ pass: 0, call: 0, block: noBlock, position: row, row, random: recorded(random) },
});

register('diffusion', 'baselines', 'transfer-schedule', (given) => {
  const steps = count(given, 'steps');
  const rows = numbers(given.tensor('maskedCount')).map((masked) => [...uniformCounts(masked, steps)]);
  return { schedule: shaped(rows.flat(), [rows.length, steps]) };
});

register('diffusion', 'baselines', 'dream-schedule', (given) => {
  const options = { steps: count(given, 'steps'), ...option(given, 'eps', 'eps') };
  return { counts: timeGridCounts(count(given, 'maskedCount'), options) };
});

register('diffusion', 'baselines', 'propose', (given) => {
  const { params, inputs, randoms } = given;
  const propose = noisyProposer({ temperature: count(given, 'temperature') });
  const noise = randoms.uniforms && rowsOf(randoms.uniforms);
  const unconditional = inputs.unconditionalLogits ? rowsOf(given.tensor('unconditionalLogits')) : undefined;
  const proposals = rowsOf(given.tensor('logits')).map((row, at) => {
    const own = Float32Array.from(row);
    const logits = unconditional ? guide(own, Float32Array.from(unconditional[at]), Number(params.cfgScale)) : own;
    const where = context(at, noise && { noise: () => noise[at] });
    const proposal = propose(logits, where);
    return { token: proposal.token, score: confidence(proposal, where) };
  });
  const shape = given.tensor('logits').shape.slice(0, -1);
  return {
    tokens: shaped(
      proposals.map(({ token }) => token),
      shape,
    ),
    confidence: shaped(
      proposals.map(({ score }) => score),
      shape,
    ),
  };
});

/** Tokens and scores of rows whose token is drawn by inverse CDF. */
const filteredProposals = (
  given: CaseContext,
  propose: ReturnType<typeof filteredProposer>,
  score: (typeof scorers)['entropy'],
): Record<string, unknown> => {
  const uniforms = given.randoms.uniforms ? draws(given, 'uniforms') : [];
  const proposals = rowsOf(given.tensor('logits')).map((row, at) => {
    const where = context(at, { token: () => uniforms[at] });
    const proposal = propose(Float32Array.from(row), where);
    return { token: proposal.token, score: score(proposal, where) };
  });
  return {
    tokens: Int32Array.from(proposals, ({ token }) => token),
    confidence: Float64Array.from(proposals, ({ score: value }) => value),
  };
};

register('diffusion', 'baselines', 'dream-propose', (given) => {
  const propose = filteredProposer({
    temperature: count(given, 'temperature'),
    ...option(given, 'topP', 'topP'),
    ...option(given, 'topK', 'topK'),
  });
  return filteredProposals(given, propose, scorers[given.params.score as 'entropy']);
});

register('diffusion', 'sdar', 'propose', (given) => {
  const propose = filteredProposer({
    ...{ temperature: count(given, 'temperature'), first: 'top-k' },
    ...option(given, 'topP', 'topP'),
    ...(count(given, 'topK') > 0 && { topK: count(given, 'topK') }),
    scored: given.params.confidenceSource === 'filtered' ? 'filtered' : 'tempered',
  });
  return filteredProposals(given, propose, confidence);
});

register('diffusion', 'baselines', 'fast-dllm-threshold', (given) =>
  commitRows(given, commitAbove(count(given, 'threshold'))),
);
register('diffusion', 'baselines', 'fast-dllm-factor', (given) =>
  commitRows(given, commitByFactor({ factor: count(given, 'factor'), compatible: given.params.mode === 'code' })),
);
register('diffusion', 'localleap', 'commit', (given) => {
  const { params } = given;
  const relaxedThreshold = (params.relaxedThreshold ?? null) === null ? null : count(given, 'relaxedThreshold');
  const options = {
    anchorThreshold: count(given, 'anchorThreshold'),
    relaxedThreshold,
    radius: count(given, 'radius'),
  };
  return commitRows(given, commitAroundAnchors(options));
});

/** Best tokens at masked positions, known ids elsewhere. */
const proposedTokens = (given: CaseContext): unknown => {
  const ids = integers(given, 'ids');
  const masked = numbers(given.tensor('masked'));
  const tokens = rowsOf(given.tensor('logits')).map((row, at) => (masked[at] ? bestToken(row) : ids[at]));
  return shaped(tokens, given.tensor('ids').shape);
};

register('diffusion', 'adablock-dllm', 'commit', (given) => {
  const rule = commitAbove(count(given, 'threshold'));
  const [batch, length] = given.tensor('ids').shape;
  const scores = rowsOf(given.tensor('logits')).map((row) => Math.max(...probabilitiesOf(row)));
  const masked = rowsOf(given.tensor('masked'));
  const committed = masked.flatMap((row, at) =>
    flags(length, rule(candidatesOf(scores.slice(at * length, (at + 1) * length), row))),
  );
  return { committed: shaped(committed, [batch, length]), tokens: proposedTokens(given) };
});

register('diffusion', 'dparallel', 'commit-entropy', (given) => {
  const [batch, length] = given.tensor('ids').shape;
  const entropies = rowsOf(given.tensor('logits')).map((row) => entropyInNats(probabilitiesOf(row), 1e-12));
  const threshold = given.params.entropyThreshold ?? null;
  const quotas = given.inputs.quota ? integers(given, 'quota') : undefined;
  const rule = threshold === null ? commitBest : commitCertain(count(given, 'entropyThreshold'));
  const committed = rowsOf(given.tensor('masked')).flatMap((row, at) => {
    const scores = entropies.slice(at * length, (at + 1) * length).map((value) => -value);
    const stated = [given.params.quota].flat() as number[];
    const quota = threshold === null ? (quotas?.[at] ?? stated[at] ?? stated[0]) : undefined;
    return flags(length, rule(candidatesOf(scores, row, quota)));
  });
  const shape = [batch, length];
  return { entropy: shaped(entropies, shape), committed: shaped(committed, shape), tokens: proposedTokens(given) };
});

register('diffusion', 'adablock-dllm', 'block-length', (given) => {
  const { params } = given;
  const tokens = integers(given, 'tokens');
  const rows = rowsOf(given.tensor('logits'));
  const prompt = count(given, 'promptLength');
  const at = (index: number): { token: number; confidence: number } => {
    const token = tokens[prompt + index];
    return { token, confidence: probabilitiesOf(rows[prompt + index])[token] };
  };
  const blockLength = adaBlockLength(count(given, 'generated'), at, {
    length: count(given, 'genLength'),
    defaultBlockLength: count(given, 'defaultBlockLength'),
    delimiters: new Set(params.delimiterIds as number[]),
    delimiterThreshold: count(given, 'delimiterThreshold'),
    window: params.windowMode as 'budget' | 'progress',
  });
  return { blockLength };
});

register('diffusion', 'eoser-ass-cj-grpo', 'ass-plan', (given) => {
  const { params } = given;
  return { ...ascendingPlan(count(given, 'length'), params.blocks as number, params.steps as number | undefined) };
});

register('diffusion', 'eoser-ass-cj-grpo', 'eoser-confidence', (given) => {
  const { params } = given;
  const step = count(given, 'step');
  const options = {
    ...{ steps: count(given, 'totalSteps'), schedule: params.schedule as 'linear' | 'ass' },
    ...{ minimum: count(given, 'minimum'), maximum: count(given, 'maximum') },
  };
  const score = endPenalty({ ...options, endTokens: new Set([count(given, 'eosId')]) });
  const tokens = integers(given, 'tokens');
  const values = rowsOf(given.tensor('logits')).map((row, at) =>
    score({ token: tokens[at], probabilities: probabilitiesOf(row) }, { ...context(at), call: step }),
  );
  return { confidence: shaped(values, given.tensor('tokens').shape), factor: endPenaltyFactor(step, options) };
});

register('diffusion', 'learn2pd-eotp', 'filter-forward', (given) => {
  const rows = rowsOf(given.tensor('confidence')).map((row) => [...filterLogits(filterOf(given), row)]);
  return { logits: shaped(rows.flat(), given.tensor('confidence').shape) };
});

register('diffusion', 'learn2pd-eotp', 'decide', (given) => {
  const [scores, tokens] = [floats(given, 'confidence'), integers(given, 'tokens')];
  const masked = numbers(given.tensor('masked'));
  const [start, end] = [count(given, 'blockStart'), count(given, 'blockEnd')];
  const maskToken = -1;
  const inBlock = masked.map((value, position) => (position >= start && position < end ? value : 0));
  const step: StepView = {
    ...candidatesOf([...scores], inBlock, count(given, 'quota')),
    ...{ pass: 0, call: 0, block: { index: 0, start, end, firstStep: 0 }, random: recorded({}), maskToken },
    ids: tokens.map((token, position) => (masked[position] ? maskToken : token)),
    token: (position) => tokens[position],
    score: (position) => scores[position],
  };
  const [filter, threshold] = [filterOf(given), count(given, 'threshold')];
  const stopper = endOfTextPrediction({ endOfText: count(given, 'endOfTextId'), filter: { filter, threshold } });
  const cut = stopper.afterStep!(step, tokens.length);
  return {
    committed: Uint8Array.from(flags(tokens.length, commitFiltered({ filter, threshold })(step))),
    accepted: Uint8Array.from(flags(tokens.length, acceptedByFilter(step, filter, threshold))),
    cut: cut === undefined ? -1 : cut - 1,
  };
});

register('diffusion', 'baselines', 'subs-nucleus', (given) => {
  const ids = integers(given, 'ids');
  const [maskToken, nucleus] = [count(given, 'maskId'), count(given, 'nucleusP')];
  const rows = rowsOf(given.tensor('logits')).map((row, at) => [
    ...substitutedProbabilities(row, ids[at], maskToken, nucleus),
  ]);
  return { probabilities: shaped(rows.flat(), given.tensor('logits').shape) };
});

register('diffusion', 'baselines', 'first-hitting-block', (given) => {
  const [size, maskToken, nucleusP] = [count(given, 'blockSize'), count(given, 'maskId'), count(given, 'nucleusP')];
  const rows = rowsOf(given.tensor('logits'));
  const ids = new Int32Array(size).fill(maskToken);
  const states = [...ids];
  const [positions, times]: [number[], number[]] = [[], []];
  const [time, index, token] = ['time', 'index', 'token'].map((name) => draws(given, name));
  for (let step = 0; step < size; step++) {
    const hit = firstHit(
      ids,
      times[step - 1] ?? 1,
      (position) => rows[step * size + position],
      { time: time[step], index: index[step], token: token[step] },
      { maskToken, nucleusP },
    );
    ids[hit.position] = hit.token;
    positions.push(hit.position);
    times.push(hit.time);
    states.push(...ids);
  }
  return {
    positions: Int32Array.from(positions),
    times: Float64Array.from(times),
    states: shaped(states, [size + 1, size]),
  };
});

register('diffusion', 'baselines', 'block-diffusion-mask', (given) => {
  const length = count(given, 'length');
  return { mask: shaped(blockDiffusionMask(length, count(given, 'blockSize')), [2 * length, 2 * length]) };
});

register('diffusion', 'sdar', 'packed-training-mask', (given) => {
  const mask = packedTrainingMask(numbers(given.tensor('lengths')), count(given, 'blockLength'));
  return { mask: shaped(mask, [Math.sqrt(mask.length), Math.sqrt(mask.length)]) };
});

register('diffusion', 'baselines', 'antithetic-times', (given) => {
  const [batch, length] = [count(given, 'batch'), count(given, 'length')];
  const options = {
    batch,
    length,
    blockSize: count(given, 'blockSize'),
    low: count(given, 'low'),
    high: count(given, 'high'),
  };
  return { times: shaped(antitheticTimes(draws(given, 'uniforms'), options), [batch, length]) };
});

register('diffusion', 'baselines', 'likelihood-mask-counts', (given) => {
  const answerLength = count(given, 'answerLength');
  const counts = likelihoodMaskCounts(answerLength, count(given, 'batch'), draws(given, 'first')[0]);
  return { counts, maskRatio: Float64Array.from(counts, (value) => value / answerLength) };
});

register('diffusion', 'diffucoder', 'ar-ness', (given) => {
  const order = integers(given, 'order');
  const upTo = (k: number, each: (k: number) => number): Float64Array =>
    Float64Array.from({ length: k }, (_, index) => each(index + 1));
  const local = (form: 'sequence' | 'set', promptHistory: boolean): Float64Array =>
    upTo(count(given, 'localK'), (k) => localAutoregressiveness(order, k, { form, promptHistory }));
  return {
    'local.sequence': local('sequence', false),
    'local.sequenceWithPrompt': local('sequence', true),
    'local.set': local('set', false),
    'local.setWithPrompt': local('set', true),
    global: upTo(count(given, 'globalK'), (k) => globalAutoregressiveness(order, k)),
  };
});

register('diffusion', 'diffucoder', 'pass-at-k', (given) => ({
  value: passAtK(count(given, 'samples'), count(given, 'correct'), count(given, 'k')),
}));

register('diffusion', 'diffucoder', 'coupled-masks', (given) => {
  const { shape } = given.tensor('ids');
  const options = { length: shape[1], promptLength: count(given, 'promptLength'), ratio: count(given, 'ratio') };
  const maskToken = count(given, 'maskId');
  const masks = coupledMasks(integers(given, 'ids'), draws(given, 'matrix'), { ...options, maskToken });
  const { full, first, second, firstMask, weights } = masks;
  const all = Object.entries({ full, first, second, firstMask }).map(([name, data]) => [name, shaped(data, shape)]);
  return { ...Object.fromEntries(all), weights };
});

register('diffusion', 'dparallel', 'noise-views', (given) => {
  const { shape } = given.tensor('ids');
  const uniforms = given.randoms.uniforms ? draws(given, 'uniforms') : [];
  const [first, second] = noiseViews(integers(given, 'ids'), uniforms, {
    ...{
      promptLength: count(given, 'promptLength'),
      blockSize: count(given, 'blockSize'),
      block: count(given, 'block'),
    },
    ...{ maskRatio: count(given, 'maskRatio'), maskToken: count(given, 'maskId') },
  });
  return {
    ...{ first: shaped(first.ids, shape), firstTargets: shaped(first.targets, shape) },
    ...{ second: shaped(second.ids, shape), secondTargets: shaped(second.targets, shape) },
  };
});

register('diffusion', 'parallelbench', 'decoding-order', (given) => {
  const { params } = given;
  const ignored = params.ignorePad === true ? (params.padId as number) : undefined;
  return { order: decodingOrder(rowsOf(given.tensor('states')), count(given, 'maskId'), ignored) };
});

register('diffusion', 'parallelbench', 'order-correlation', (given) => ({
  ...orderCorrelation(integers(given, 'order')),
}));

register('diffusion', 'parallelbench', 'perfect-denoiser', (given) => {
  const answers = rowsOf(given.tensor('outputs'));
  return {
    accuracy: perfectAccuracies(answers, given.params.order as 'random' | 'left'),
    totalCorrelation: totalCorrelation(answers),
  };
});

/** Acceptance heads, exit policies, superposed decoding and AdaDec. */
import {
  type AcceptanceHead,
  AcceptanceStopRule,
  acceptanceHead,
  acceptanceLabel,
  acceptanceLogits,
  acceptanceLoss,
  acceptanceOf,
  adaptiveDecode,
  type DraftState,
  draftWeights,
  ExitStatistics,
  entropyAndRank,
  entropyThreshold,
  type Gradient,
  learnThreshold,
  mixEmbeddings,
  mixInputs,
  NgramModel,
  rerankCandidates,
  type SuperpositionOptions,
  selectDrafts,
  selectExit,
  superposedDecode,
  superposeStep,
  tokenWeights,
} from '@gallop/speculative';
import { type CaseContext, type CaseOutputs, register } from '../registry.ts';
import { prefilled, withModels } from './speculative-models.ts';
import { floats, integers, matrix, numbers, padded, rowsOf, unpadded } from './speculative-shared.ts';

const count = ({ params }: CaseContext, name: string): number => params[name] as number;

const headOf = ({ weights, params }: CaseContext): AcceptanceHead =>
  acceptanceHead(
    Object.fromEntries(
      Object.entries(weights).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
    ),
    { blocks: params.blocks as number, sharedBlocks: params.sharedBlocks === true },
  );

register('speculative', 'specdec-pp', 'head-forward', (context) => {
  const head = headOf(context);
  const logits = rowsOf(context.tensor('hidden')).map((row) => acceptanceLogits(head, row));
  return {
    logits: matrix(Float64Array.from(logits.flatMap((row) => [...row])), 2),
    acceptance: Float64Array.from(logits, acceptanceOf),
  };
});

register('speculative', 'specdec-pp', 'stop-rule', (context) => {
  const acceptance = numbers(context.tensor('acceptance'));
  const [minimum, maximum] = [count(context, 'minimum'), count(context, 'maximum')];
  const { endOfSequenceAt } = context.params;
  const drafts = (threshold: number, each: (rejection: number) => void = () => undefined): number => {
    const rule = new AcceptanceStopRule({ threshold, minimum, maximum });
    rule.begin();
    for (let drafted = 1; ; drafted++) {
      if (drafted === endOfSequenceAt) return drafted;
      const stops = rule.after(() => acceptance[drafted - 2]);
      each(rule.rejection);
      if (stops) return drafted;
    }
  };
  const rejection: number[] = [];
  const whole = new AcceptanceStopRule({ threshold: 2, minimum: maximum, maximum });
  whole.begin();
  for (let drafted = 1; drafted <= maximum; drafted++) {
    whole.after(() => acceptance[drafted - 2]);
    rejection.push(whole.rejection);
  }
  return {
    drafted: Int32Array.from(context.params.thresholds as number[], (threshold) => drafts(threshold)),
    rejection: Float64Array.from(rejection),
  };
});

register('speculative', 'specdec-pp', 'acceptance-label', (context) => {
  const draft = numbers(context.tensor('draftLogProbability'));
  return {
    label: numbers(context.tensor('targetLogProbability')).map((target, i) => acceptanceLabel(target, draft[i])),
  };
});

register('speculative', 'specdec-pp', 'mix-inputs', (context) => ({
  ...mixInputs(
    integers(context, 'prefix'),
    integers(context, 'targetTokens'),
    integers(context, 'draftTokens'),
    floats(context, 'label'),
    numbers(context.randoms.uniforms),
    count(context, 'mixingRatio'),
    count(context, 'ignoreIndex'),
  ),
}));

register('speculative', 'specdec-pp', 'loss', (context) => {
  const head = headOf(context);
  const hidden = context.tensor('hidden');
  const labels = floats(context, 'labels');
  const weight = count(context, 'rejectionWeight');
  const result = acceptanceLoss(head, floats(context, 'hidden'), labels, weight, count(context, 'ignoreIndex'));
  const outputs: CaseOutputs = {
    loss: result.loss,
    divergence: result.divergence,
    reportedDivergence: result.reportedDivergence,
    'gradient.hidden': { data: result.hidden, shape: hidden.shape },
  };
  const write = (name: string, gradients: readonly Gradient[], rows: number): void => {
    const sum = (pick: (gradient: Gradient) => Float64Array): Float64Array =>
      gradients.map(pick).reduce((total, values) => total.map((value, i) => value + values[i]));
    outputs[`gradient.${name}.weight`] = { data: sum(({ weight: w }) => w), shape: [rows, head.hiddenSize] };
    outputs[`gradient.${name}.bias`] = sum(({ bias }) => bias);
  };
  write('output', [result.output], 2);
  if (context.params.sharedBlocks === true) {
    if (result.blocks.length > 0) write('block.0', result.blocks, head.hiddenSize);
  } else for (const [i, gradient] of result.blocks.entries()) write(`block.${i}`, [gradient], head.hiddenSize);
  return outputs;
});

register('speculative', 'del', 'update-statistics', (context) => {
  const layers = count(context, 'layers');
  const statistics = new ExitStatistics(layers, count(context, 'omega'));
  statistics.matchCounts.set(numbers(context.tensor('matchCounts')));
  statistics.confidenceSums.set(numbers(context.tensor('confidenceSums')));
  statistics.update({
    tokens: rowsOf(context.tensor('shadowTokens')),
    confidence: rowsOf(context.tensor('confidence')),
    exitLayer: count(context, 'exitLayer'),
    contextLength: count(context, 'contextLength'),
    plannedDrafts: count(context, 'currentGamma'),
  });
  return {
    matchCounts: matrix(statistics.matchCounts, 2),
    confidenceSums: matrix(statistics.confidenceSums, 2),
    threshold: Array.from({ length: layers - 1 }, (_, i) => statistics.threshold(i + 1)),
  };
});

register('speculative', 'del', 'select', (context) => {
  const [layers, maximumDrafts, minimumDrafts] = ['layers', 'maximumDrafts', 'minimumDrafts'].map((name) =>
    count(context, name),
  );
  const choice = selectExit(numbers(context.tensor('matchCounts')), layers, { maximumDrafts, minimumDrafts });
  return {
    acceptance: choice.acceptance,
    tokensPerLayer: matrix(Float64Array.from(choice.tokensPerLayer.flatMap((row) => [...row])), maximumDrafts),
    exitLayer: choice.exitLayer,
    drafts: choice.drafts,
  };
});

const ngramsOf = (context: CaseContext): NgramModel =>
  new NgramModel(rowsOf(context.tensor('documents')).map(unpadded));

register('speculative', 'superposed-decoding', 'ngram-probability', (context) => {
  const ngrams = ngramsOf(context);
  const next = integers(context, 'next');
  return {
    probability: rowsOf(context.tensor('context')).map((row, i) => ngrams.probability(unpadded(row), next[i])),
  };
});

register('speculative', 'superposed-decoding', 'ngram-interpolation', (context) => {
  const ngrams = ngramsOf(context);
  const probabilities = numbers(context.tensor('probabilities'));
  const weights = context.params.weights as number[];
  const rows = rowsOf(context.tensor('sequences')).map((sequence) =>
    probabilities.map((p, token) =>
      p > 0 ? ngrams.interpolate(sequence, count(context, 'position'), token, weights) : 0,
    ),
  );
  return { probability: matrix(Float64Array.from(rows.flat()), probabilities.length) };
});

register('speculative', 'superposed-decoding', 'superpose-embedding', (context) => {
  const weights = draftWeights(numbers(context.tensor('scores')));
  const tokens = integers(context, 'tokens');
  const embeddings = rowsOf(context.tensor('embeddings'));
  return {
    draftWeights: weights,
    tokenWeights: tokenWeights(weights, tokens, embeddings.length),
    embedding: mixEmbeddings(weights, tokens, (token) => embeddings[token]),
  };
});

const superposition = ({ params }: CaseContext): SuperpositionOptions => ({
  ...(params as SuperpositionOptions),
  endToken: params.eosToken as number,
});

register('speculative', 'superposed-decoding', 'step', (context) => {
  const valid = integers(context, 'finishedValid');
  const finishedScores = numbers(context.tensor('finishedScores'));
  const length = count(context, 'position');
  const state: DraftState = {
    sequences: rowsOf(context.tensor('sequences')).map((row) => row.slice(0, length)),
    scores: numbers(context.tensor('scores')),
    finished: rowsOf(context.tensor('finishedSequences'))
      .map((sequence, i) => ({ sequence: unpadded(sequence), score: finishedScores[i] }))
      .filter((_, i) => valid[i] === 1),
  };
  const probabilities = numbers(context.tensor('probabilities'));
  const after = superposeStep(
    state,
    probabilities,
    ngramsOf(context),
    context.params.first === true,
    superposition(context),
  );
  const last = after.sequences.map((sequence) => sequence[sequence.length - 1]);
  const slots = Array.from({ length: state.scores.length }, (_, i) => after.finished[i]);
  const columns = context.tensor('sequences').shape[1];
  return {
    sequences: padded(after.sequences, columns),
    scores: Float64Array.from(after.scores),
    finishedSequences: padded(
      slots.map((slot) => slot?.sequence ?? []),
      columns,
    ),
    finishedScores: Float64Array.from(slots, (slot) => slot?.score ?? 0),
    finishedValid: Uint8Array.from(slots, (slot) => (slot ? 1 : 0)),
    tokenWeights: tokenWeights(draftWeights(after.scores), last, probabilities.length),
  };
});

register('speculative', 'superposed-decoding', 'select-results', (context) => {
  const length = count(context, 'generatedLength');
  const finishedLengths = integers(context, 'finishedLengths');
  const valid = integers(context, 'finishedValid');
  const alive = numbers(context.tensor('aliveScores')).map((score) => ({ score, length }));
  const finished = numbers(context.tensor('finishedScores')).map((score, i) =>
    valid[i] === 1 ? { score, length: finishedLengths[i] } : undefined,
  );
  const selected = selectDrafts(alive, finished, context.params.mode as 'official');
  return {
    index: Int32Array.from(selected, ({ index }) => index),
    perplexity: Float64Array.from(selected, ({ perplexity }) => perplexity),
  };
});

register('speculative', 'superposed-decoding', 'end-to-end', (context) =>
  withModels(context, async (load) => {
    const model = await load('model');
    const prompt = integers(context, 'prompt');
    const maxTokens = count(context, 'maxNewTokens');
    const width = prompt.length + maxTokens;
    const result = await superposedDecode(model, prompt, {
      ...superposition(context),
      ...{ ngrams: ngramsOf(context), maxTokens, temperature: count(context, 'temperature') },
    });
    const drafts = result.drafts.length;
    return {
      sequences: padded(
        result.drafts.map(({ tokens }) => tokens),
        width,
      ),
      scores: Float64Array.from(result.drafts, ({ score }) => score),
      perplexity: Float64Array.from(result.drafts, ({ perplexity }) => perplexity),
      stepSequences: {
        data: result.steps.flatMap(({ sequences }) => [...padded(sequences, width).data]),
        shape: [result.steps.length, drafts, width],
      },
      stepScores: matrix(Float64Array.from(result.steps.flatMap(({ scores }) => [...scores])), drafts),
      tokenWeights: matrix(Float64Array.from(result.mixtures.flatMap((row) => [...row])), model.vocabSize),
      forwards: result.forwards,
    };
  }),
);

register('speculative', 'adadec', 'entropy', (context) => {
  const tokens = integers(context, 'token');
  const rows = rowsOf(context.tensor('logits')).map((row, i) => entropyAndRank(Float32Array.from(row), tokens[i]));
  return { entropy: rows.map(({ entropy }) => entropy), rank: Int32Array.from(rows, ({ rank }) => rank) };
});

register('speculative', 'adadec', 'lookahead-scores', async (context) => {
  const table = rowsOf(context.tensor('table')).map((row) => Float32Array.from(row));
  const stops = new Set(integers(context, 'stopTokens'));
  const last = integers(context, 'context').at(-1)!;
  const result = await rerankCandidates(table[last], (branches) => branches.map((branch) => table[branch.at(-1)!]), {
    candidates: count(context, 'candidates'),
    lookahead: count(context, 'lookahead'),
    mode: context.params.mode as 'freeze',
    isDone: (branch) => branch.some((token) => stops.has(token)),
  });
  const { candidates, length, chosen, firstLogProbability, extensionLogProbability, score } = result;
  return {
    candidates: Int32Array.from(candidates),
    length: Int32Array.from(length),
    ...{ chosen, firstLogProbability, extensionLogProbability, score },
  };
});

register('speculative', 'adadec', 'learn-threshold', (context) => {
  const side = (name: string): { entropy: number[]; label: number[] } => ({
    entropy: numbers(context.tensor(`${name}Entropy`)),
    label: numbers(context.tensor(`${name}Label`)),
  });
  return { ...learnThreshold(side('train'), side('test')) };
});

register('speculative', 'adadec', 'threshold-formula', (context) => {
  const [cut, intercept, coefficient] = ['cut', 'intercept', 'coefficient'].map((name) =>
    numbers(context.tensor(name)),
  );
  return { threshold: cut.map((value, i) => entropyThreshold(value, intercept[i], coefficient[i])) };
});

register('speculative', 'adadec', 'end-to-end', (context) =>
  withModels(context, async (load) => {
    const model = await load('model');
    const prompt = integers(context, 'prompt');
    const stops = new Set(integers(context, 'stopTokens'));
    const options = {
      threshold: count(context, 'threshold'),
      candidates: count(context, 'candidates'),
      lookahead: count(context, 'lookahead'),
      maxTokens: count(context, 'maxNewTokens'),
      mode: context.params.mode as 'freeze',
      isDone: (branch: readonly number[]) => branch.some((token) => stops.has(token)),
      endTokens: new Set([...stops, count(context, 'eosToken')]),
    };
    const session = await prefilled(model, prompt);
    const steps = [];
    for await (const step of adaptiveDecode({ model, session, tokens: prompt }, options)) steps.push(step);
    return {
      tokens: Int32Array.from(steps, ({ token }) => token),
      entropy: Float64Array.from(steps, ({ entropy }) => entropy),
      paused: Int32Array.from(steps, ({ paused }) => (paused ? 1 : 0)),
    };
  }),
);

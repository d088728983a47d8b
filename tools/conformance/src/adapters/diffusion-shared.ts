/** Layouts that the diffusion cases share: batches as rows, canvases, recorded draws, models under their own token ids. */
import type { LanguageModel, Session } from '@gallop/core';
import {
  type CacheName,
  type Candidates,
  type DiffuseOptions,
  type DiffusionRandom,
  type DiffusionStep,
  diffuse,
  type FilterWeights,
  type Sampler,
} from '@gallop/diffusion';
import { openHuggingFaceFolder } from '@gallop/formats/node';
import { loadLanguageModel } from '@gallop/models';
import type { CaseContext, CaseOutputs, TensorValue } from '../registry.ts';
import { withBackend } from './models-backend.ts';

export const numbers = (value: TensorValue): number[] => Array.from(value.data as ArrayLike<number>, Number);
export const integers = (context: CaseContext, name: string): Int32Array =>
  Int32Array.from(numbers(context.tensor(name)));
export const floats = (context: CaseContext, name: string): Float32Array =>
  Float32Array.from(numbers(context.tensor(name)));
export const draws = ({ randoms }: CaseContext, name: string): number[] => numbers(randoms[name]);

/** A parameter that is a number; "infinity" too. */
export const count = ({ params }: CaseContext, name: string): number => asNumber(params[name]);
export const asNumber = (value: unknown): number =>
  value === 'infinity' ? Number.POSITIVE_INFINITY : (value as number);

/** A parameter as an option of the same name, left out where it is null or absent. */
export const option = <Name extends string>(
  context: CaseContext,
  from: string,
  name: Name,
): { [N in Name]?: number } =>
  (context.params[from] ?? null) === null ? {} : ({ [name]: count(context, from) } as { [N in Name]?: number });

/** The rows of a tensor, cut along all axes but the last. */
export const rowsOf = (value: TensorValue): number[][] => {
  const columns = value.shape[value.shape.length - 1];
  const all = numbers(value);
  return Array.from({ length: all.length / columns }, (_, row) => all.slice(row * columns, (row + 1) * columns));
};

type Numbers = readonly number[] | Int32Array | Uint8Array | Float32Array | Float64Array;
export const shaped = (data: Numbers, shape: readonly number[]): unknown => ({ data, shape });

/** Scores of the masked positions of a row, as a commit rule sees them. */
export const candidatesOf = (
  confidence: readonly number[],
  masked: readonly number[],
  quota: number = masked.length,
): Candidates => {
  const positions = Int32Array.from(masked.keys()).filter((position) => masked[position] !== 0);
  return { positions, scores: Float64Array.from(positions, (position) => confidence[position]), quota };
};

/** Flags of the positions that a rule keeps. */
export const flags = (length: number, chosen: Iterable<number>): number[] => {
  const kept = new Set(chosen);
  return Array.from({ length }, (_, position) => Number(kept.has(position)));
};

/** Applies a rule to every row of in.confidence. */
export const commitRows = (context: CaseContext, rule: (candidates: Candidates) => readonly number[]): CaseOutputs => {
  const masked = rowsOf(context.tensor('masked'));
  const rows = rowsOf(context.tensor('confidence')).map((row, at) =>
    flags(row.length, rule(candidatesOf(row, masked[at]))),
  );
  return { committed: shaped(rows.flat(), context.tensor('masked').shape) };
};

/** The case's model with the token ids and the alignment that the case states, as a model of its own. */
export const withModel = async (
  context: CaseContext,
  alignment: 'next' | 'same',
  body: (model: LanguageModel) => Promise<CaseOutputs>,
): Promise<CaseOutputs> => {
  const files = await openHuggingFaceFolder(context.modelFolder(context.params.model as string));
  return withBackend(async (backend) => {
    const loaded = await loadLanguageModel(files, backend, { activations: 'f32' });
    files.weights.close();
    try {
      const { vocabSize, contextLength, layerCount, hiddenSize } = loaded;
      return await body({
        ...{ vocabSize, contextLength, layerCount, hiddenSize, logitAlignment: alignment },
        capabilities: { ...loaded.capabilities, bidirectional: true },
        tokens: { endOfGeneration: new Set(), mask: context.params.maskId as number },
        openSession: (): Session => loaded.openSession(),
        dispose: () => undefined,
      });
    } finally {
      loaded.dispose();
    }
  });
};

/** A bias of the end token where the case has one. */
export const biasOf = ({ params }: CaseContext): Pick<DiffuseOptions, 'logitBias'> => {
  const token = (params.eosId ?? params.endOfTextId) as number | undefined;
  const bias = params.eosLogitBias as number | undefined;
  return token === undefined || !bias ? {} : { logitBias: new Map([[token, bias]]) };
};

/** One run: its steps, with the canvas that it began with. */
export interface Run {
  readonly initial: Int32Array;
  readonly steps: readonly DiffusionStep[];
  readonly pads: number;
}

/** Runs a sampler on every row of in.prompt. Left pads are taken off: no row sees them. */
export const runRows = async (
  context: CaseContext,
  model: LanguageModel,
  sampler: Sampler,
  random?: (row: number, pads: number) => DiffusionRandom,
  logitBias?: ReadonlyMap<number, number>,
): Promise<Run[]> => {
  const runs: Run[] = [];
  const mask = context.params.maskId as number;
  const padding = context.inputs.attentionMask === undefined ? [] : rowsOf(context.tensor('attentionMask'));
  for (const [row, prompt] of rowsOf(context.tensor('prompt')).entries()) {
    const pads = Math.max(0, padding[row]?.indexOf(1) ?? 0);
    const canvas = Int32Array.from([
      ...prompt.slice(pads),
      ...new Array<number>(count(context, 'genLength')).fill(mask),
    ]);
    const options = {
      ...biasOf(context),
      ...(logitBias && { logitBias }),
      ...(random && { random: random(row, pads) }),
    };
    const steps: DiffusionStep[] = [];
    for await (const step of diffuse({ model, canvas, start: prompt.length - pads }, sampler, options))
      steps.push(step);
    const multiple = sampler.lengthMultiple ?? 1;
    const initial = new Int32Array(Math.ceil(canvas.length / multiple) * multiple).fill(mask);
    initial.set(canvas);
    runs.push({ initial, steps, pads });
  }
  return runs;
};

/** Denoising steps that called the network. */
export const denoising = ({ steps }: Run): DiffusionStep[] =>
  steps.filter(({ kind, calls }) => kind === 'denoise' && calls > 0);

/**
 * The steps of every row, block by block: a row whose block is full waits for the others, as rows of one batch do. A row that
 * waits has undefined there.
 */
const alignedSteps = (runs: readonly Run[]): (DiffusionStep | undefined)[][] => {
  const steps = runs.map(denoising);
  const blocks = Math.max(...steps.flatMap((row) => row.map(({ block }) => block.index))) + 1;
  const aligned = runs.map((): (DiffusionStep | undefined)[] => []);
  for (let index = 0; index < blocks; index++) {
    const parts = steps.map((row) => row.filter(({ block }) => block.index === index));
    const calls = Math.max(...parts.map(({ length }) => length));
    for (const [row, part] of parts.entries()) {
      for (let call = 0; call < calls; call++) aligned[row].push(part[call]);
    }
  }
  return aligned;
};

/** Ids before the first call and after each, of every row. [calls + 1, batch, length] */
export const statesOf = (context: CaseContext, runs: readonly Run[]): unknown => {
  const prompts = rowsOf(context.tensor('prompt'));
  const full = (run: Run, row: number, ids: Int32Array): number[] => [
    ...prompts[row].slice(0, run.pads),
    ...ids,
    ...new Array<number>(run.initial.length - ids.length).fill(-1),
  ];
  const states = alignedSteps(runs).map((steps, row) => {
    let ids = runs[row].initial;
    const after = steps.map((step) => (ids = step?.ids ?? ids));
    return [runs[row].initial, ...after].map((state) => full(runs[row], row, state));
  });
  const length = states[0][0].length;
  const calls = states[0].length;
  const data = Array.from({ length: calls }, (_, call) => states.flatMap((row) => row[call])).flat();
  return shaped(data, [calls, runs.length, length]);
};

/** The final ids of every row. */
export const tokensOf = (runs: readonly Run[]): unknown => {
  const rows = runs.map(({ steps, initial }) => Array.from(steps[steps.length - 1]?.ids ?? initial));
  return shaped(rows.flat(), [rows.length, rows[0].length]);
};

export const passesOf = (runs: readonly Run[]): number => alignedSteps(runs)[0].length;
export const rowsComputed = (steps: readonly DiffusionStep[]): Int32Array => Int32Array.from(steps, ({ rows }) => rows);

/** States, calls and rows of runs without cache-filling calls. */
export const runOutputs = (context: CaseContext, runs: readonly Run[]): CaseOutputs => ({
  states: statesOf(context, runs),
  forwardPasses: passesOf(runs),
  rowsComputed: rowsComputed(denoising(runs[0])),
  tokens: tokensOf(runs),
});

const unused = (): never => {
  throw new Error('Expected no draw of this kind; the case has recorded none.');
};

/** A source that only has what is given. */
export const recorded = (source: Partial<DiffusionRandom>): DiffusionRandom => ({
  ...{ token: unused, commit: unused, pick: unused },
  ...source,
});

/** Gumbel uniforms stacked over calls: [calls, batch, rows, vocabulary]. */
export const stackedNoise =
  ({ randoms }: CaseContext): ((row: number, pads: number) => DiffusionRandom) =>
  (row, pads) => {
    const [, batch, rows, vocabulary] = randoms.uniforms?.shape ?? [];
    return recorded({
      noise: (pass, position) => {
        const start = ((pass * batch + row) * rows + position + pads) * vocabulary;
        return (randoms.uniforms.data as Float64Array).subarray(start, start + vocabulary);
      },
    });
  };

/** Gumbel uniforms numbered by call: [batch, rows of the call, vocabulary]. */
export const numberedNoise =
  ({ randoms }: CaseContext): ((batchRow: number) => DiffusionRandom) =>
  (batchRow) =>
    recorded({
      noise: (pass, _position, row) => {
        const { data, shape } = randoms[String(pass)];
        const [rows, vocabulary] = shape.slice(-2);
        const start = (batchRow * rows + row) * vocabulary;
        return (data as Float64Array).subarray(start, start + vocabulary);
      },
    });

/** Length, block length and steps under the names of the cases. */
export const sizes = (context: CaseContext): { length: number; blockLength?: number; steps?: number } => ({
  length: count(context, 'genLength'),
  ...option(context, 'blockLength', 'blockLength'),
  ...option(context, 'steps', 'steps'),
});

export const cacheOf = ({ params }: CaseContext): { cache: CacheName } => ({
  cache: (params.cache ?? 'none') as CacheName,
});

export const filterOf = ({ weights }: CaseContext): FilterWeights => ({
  hidden: numbers(weights.hidden),
  hiddenBias: numbers(weights.hiddenBias),
  output: numbers(weights.output),
  outputBias: numbers(weights.outputBias),
});

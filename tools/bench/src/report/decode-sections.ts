/** The speed benchmark for people: one table of figures and ratios per model, one of where the first token's time went. */

import type { ReadBandwidth } from '../bandwidth/read-bandwidth.ts';
import type { EngineRole, EngineRun } from '../engines/engine.ts';
import { median, spread } from '../harness/statistics.ts';
import type { Settings } from '../harness/tuning.ts';
import { figure, megabytes, ratioFigure, shareFigure } from './figures.ts';
import { atLeast, type Goal, goalCell } from './goal.ts';
import type { Section } from './report.ts';

export interface EngineResult {
  readonly name: string;
  readonly role: EngineRole;
  readonly settings: Settings;
  readonly runs: readonly EngineRun[];
}

export interface DecodeResult {
  readonly model: string;
  /** Ours first. */
  readonly engines: readonly EngineResult[];
  readonly bytesPerToken: number;
  readonly bandwidth: ReadBandwidth | undefined;
}

type Metric = 'decode' | 'prefill' | 'firstToken' | 'memory';

/** Bounds on the ratio of an engine of ours to its peer, by metric. */
export type RatioGoals = Readonly<Partial<Record<Metric, Goal>>>;

/** Goals by the name of our engine. */
export type DecodeGoals = Readonly<Record<string, RatioGoals>>;

interface Row {
  readonly metric: Metric;
  readonly label: string;
  value(run: EngineRun): number | undefined;
  show(value: number): string;
}

const ROWS: readonly Row[] = [
  { metric: 'decode', label: 'decode, tokens/s', value: (run) => run.decodeTokensPerSecond, show: figure },
  { metric: 'prefill', label: 'prefill, tokens/s', value: (run) => run.prefillTokensPerSecond, show: figure },
  {
    metric: 'firstToken',
    label: 'start to first token, ms',
    value: (run) => run.startToFirstTokenMilliseconds,
    show: figure,
  },
  { metric: 'memory', label: 'peak memory, MB', value: (run) => run.peakMemoryBytes, show: megabytes },
];

const BANDWIDTH_GOAL = atLeast(0.75);

/** Median over the runs; undefined where the engine does not know the figure. */
const middle = ({ runs }: EngineResult, { value }: Row): number | undefined => {
  const values = runs.map(value).filter((known) => known !== undefined);
  return values.length === 0 ? undefined : median(values);
};

/** The peer that an engine of ours is compared with: the one that runs under the same conditions. */
const peerOf = (ours: EngineResult, engines: readonly EngineResult[]): EngineResult | undefined =>
  engines.find(({ role }) => role.side === 'peer' && role.conditions === ours.role.conditions);

export const decodeSections = (result: DecodeResult, goals: DecodeGoals): readonly Section[] => {
  const { engines } = result;
  const compared = engines.flatMap((ours) => {
    const peer = ours.role.side === 'ours' ? peerOf(ours, engines) : undefined;
    return peer === undefined ? [] : [{ ours, peer, goals: goals[ours.role.goals] ?? {} }];
  });
  const columns = [
    '',
    ...engines.map(({ name }) => name),
    ...compared.flatMap(({ ours }) => [`${ours.role.label} ÷ peer`, 'goal']),
  ];
  const rows = ROWS.flatMap((row) => {
    const values = engines.map((engine) => middle(engine, row));
    if (values.every((value) => value === undefined)) return [];
    const ratios = compared.flatMap(({ ours, peer, goals: bounds }) => {
      return ratioCells(middle(ours, row), middle(peer, row), bounds[row.metric]);
    });
    return [[row.label, ...values.map((value) => (value === undefined ? '–' : row.show(value))), ...ratios]];
  });
  return [
    { title: result.model, table: { columns, rows }, notes: [...notesOf(result), ...bandwidthNotes(result)] },
    ...phaseSections(result),
  ];
};

const ratioCells = (ours: number | undefined, peer: number | undefined, goal: Goal | undefined): [string, string] => {
  if (ours === undefined || peer === undefined) return ['–', ''];
  return [ratioFigure(ours / peer), goal === undefined ? '' : goalCell(ours / peer, goal, (limit) => `${limit}×`)];
};

const settingsText = (settings: Settings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value === true ? 'on' : value === false ? 'off' : value}`)
    .join(', ');

const notesOf = ({ engines }: DecodeResult): readonly string[] => {
  const beginnings = engines.map(({ runs }) => runs[0]?.tokens.slice(0, 8) ?? []).filter(({ length }) => length > 0);
  const same = new Set(beginnings.map(String)).size === 1;
  return [
    ...engines.map(({ name, settings, runs }) => {
      const width = shareFigure(spread(runs.map(({ decodeTokensPerSecond }) => decodeTokensPerSecond)));
      return `${name}: ${settingsText(settings)}; decode runs lie ${width} apart`;
    }),
    ...(beginnings.length > 1
      ? [`the first tokens of the engines that tell them are ${same ? 'the same' : 'not all the same'}`]
      : []),
  ];
};

const threadsText = (count: number): string => (count === 1 ? 'one thread' : `${count} threads`);

const bandwidthNotes = ({ engines, bytesPerToken, bandwidth }: DecodeResult): readonly string[] => {
  if (bandwidth === undefined) return [];
  if ('missing' in bandwidth) return [`share of the memory's read bandwidth: unknown, ${bandwidth.missing}`];
  const [ours] = engines;
  const share = (median(ours.runs.map((run) => run.decodeTokensPerSecond)) * bytesPerToken) / bandwidth.bytesPerSecond;
  const goal = goalCell(share, BANDWIDTH_GOAL, shareFigure);
  return [
    `${ours.name} reads ${megabytes(bytesPerToken)} MB per token; ${threadsText(Number(ours.settings.threads))} can read ${figure(bandwidth.bytesPerSecond / 1e9)} GB/s here: decode reaches ${shareFigure(share)} of it (goal ${goal})`,
  ];
};

const phaseSections = ({ model, engines }: DecodeResult): readonly Section[] => {
  const known = engines.filter(({ runs }) => runs[0]?.phases !== undefined);
  const names = [...new Set(known.flatMap(({ runs }) => Object.keys(runs[0]?.phases ?? {})))];
  if (known.length === 0) return [];
  const rows = names.map((name) => [
    name,
    ...known.map(({ runs }) => {
      const values = runs.map(({ phases }) => phases?.[name]).filter((value) => value !== undefined);
      return values.length === 0 ? '' : figure(median(values));
    }),
  ]);
  return [
    {
      title: `${model}: where the time to the first token goes, ms`,
      table: { columns: ['', ...known.map(({ name }) => name)], rows },
      notes: [],
    },
  ];
};

/** What the speed benchmark asks of every engine, and what it gets back. */

import type { Axis, Settings } from '../harness/tuning.ts';

/** The work of one measurement: the same for every engine. */
export interface Workload {
  /** GGUF file. */
  readonly model: string;
  readonly promptIds: readonly number[];
  /** Text of these ids, without special tokens. */
  readonly promptText: string;
  /** Tokens to write, greedily; an end-of-generation token does not end them. */
  readonly newTokens: number;
}

/** One measurement in a fresh process or page. */
export interface EngineRun {
  /** Tokens of the prompt in a second of the time until the first token was known. */
  readonly prefillTokensPerSecond: number;
  /** Tokens after the first in a second of the time after it. */
  readonly decodeTokensPerSecond: number;
  /** From the start of the process or page until the first token was known: loading included. */
  readonly startToFirstTokenMilliseconds: number;
  /** Most memory the process had resident; unknown in a browser. */
  readonly peakMemoryBytes?: number;
  /** Where the time to the first token went, in order. */
  readonly phases?: Readonly<Record<string, number>>;
  /** The first tokens written, to see that engines did the same work. */
  readonly tokens: readonly number[];
}

/** What an engine is in a comparison. */
export interface EngineRole {
  readonly side: 'ours' | 'peer';
  /** Our engines are compared with the peer of the same conditions. */
  readonly conditions: string;
  /** Short name for the head of a ratio. */
  readonly label: string;
  /** Which goals hold for it. */
  readonly goals: string;
}

export interface Engine {
  /** As it stands in tables. */
  readonly name: string;
  readonly role: EngineRole;
  /** Settings to begin with: a value for every axis. */
  readonly start: Settings;
  /** What may be tuned on this machine. */
  readonly axes: readonly Axis[];
  run(work: Workload, settings: Settings): Promise<EngineRun>;
}

/** Rates from the moments (milliseconds) of asking, of the first and of the last token. */
export const ratesOf = (
  promptTokens: number,
  newTokens: number,
  asked: number,
  first: number,
  last: number,
): Pick<EngineRun, 'prefillTokensPerSecond' | 'decodeTokensPerSecond'> => ({
  prefillTokensPerSecond: (promptTokens / (first - asked)) * 1000,
  decodeTokensPerSecond: ((newTokens - 1) / (last - first)) * 1000,
});

/** Seconds that the whole work takes at a run's rates: what tuning makes small. */
export const workSeconds = (run: EngineRun, { promptIds, newTokens }: Workload): number =>
  promptIds.length / run.prefillTokensPerSecond + (newTokens - 1) / run.decodeTokensPerSecond;

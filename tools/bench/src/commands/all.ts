/** `bench all`: every benchmark one after the other. What this machine lacks for one of them is told, not fatal. */

import { GallopError } from '@gallop/core';
import type { Progress } from '../harness/progress.ts';
import { threadCounts } from '../harness/tuning.ts';
import type { Code } from '../harness/worker-process.ts';
import type { Report } from '../report/report.ts';
import type { Sizes } from '../sizes.ts';
import { runDecode } from './decode.ts';
import { runTokenizer } from './tokenizer.ts';
import { runVerify } from './verify.ts';

export interface AllOptions {
  readonly modelsFolder: string;
  readonly peers: string;
  readonly python: string;
  readonly cores: number;
  readonly code: Code;
  readonly sizes: Sizes;
}

/** One benchmark with its name on the command line. */
interface Benchmark {
  readonly name: string;
  run(): Promise<Report>;
}

const benchmarks = (options: AllOptions, progress: Progress): readonly Benchmark[] => {
  const { sizes, cores } = options;
  const decode = (against: 'node-llama-cpp' | 'wllama'): Benchmark => ({
    name: `decode --against ${against}`,
    run: () =>
      runDecode(
        { ...options, ...sizes, models: [], threads: threadCounts(cores), against, rounds: sizes.decodeRounds },
        progress,
      ),
  });
  return [
    decode('node-llama-cpp'),
    decode('wllama'),
    {
      name: 'verify',
      run: () => {
        const { verifyRounds: rounds, verifySeconds: seconds } = sizes;
        return runVerify({ ...options, ...sizes, models: [], variants: [], threads: cores, rounds, seconds }, progress);
      },
    },
    {
      name: 'tokenizer',
      run: () => runTokenizer({ ...options, ...sizes, rounds: sizes.tokenizerRounds }, progress),
    },
  ];
};

/** Hands out each report as it is ready. @returns them all, and whether every benchmark ran */
export const runAll = async (
  options: AllOptions,
  progress: Progress,
  onReport: (report: Report) => void,
): Promise<{ readonly reports: readonly Report[]; readonly complete: boolean }> => {
  const reports: Report[] = [];
  let complete = true;
  for (const { name, run } of benchmarks(options, progress)) {
    progress(name);
    try {
      const report = await run();
      reports.push(report);
      onReport(report);
    } catch (error) {
      if (!GallopError.isInstance(error)) throw error;
      complete = false;
      progress(`${name} did not run: ${error.code}: ${error.message}`);
    }
  }
  return { reports, complete };
};

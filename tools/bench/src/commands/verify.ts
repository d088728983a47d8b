/**
 * `bench verify`: what a forward pass over M rows costs compared with one row, c(M)/c(1), for every backend and
 * instruction set. It decides how many drafted tokens are worth verifying at once. The ratio of the fastest passes is
 * shown, because disturbances only ever add time; quantiles and medians are in the data.
 */

import { writeFileSync } from 'node:fs';
import { nativeVariants } from '@gallop/backend-native';
import { wasmVariants } from '@gallop/backend-wasm';
import { GallopError, requireArgument } from '@gallop/core';
import { openGguf } from '@gallop/formats';
import { openFile } from '@gallop/formats/node';
import type { Progress } from '../harness/progress.ts';
import { median, minimum, quantile } from '../harness/statistics.ts';
import { type Code, runWorker } from '../harness/worker-process.ts';
import { findModels, modelName } from '../inputs/models.ts';
import { modelPrompt } from '../inputs/prompt.ts';
import type { Report, Section } from '../report/report.ts';
import { type VerifyResult, verifyChart, verifySection } from '../report/verify-sections.ts';
import type { PassesTask, PassTimes } from '../workers/gallop-passes.ts';

export interface VerifyOptions {
  readonly models: readonly string[];
  readonly modelsFolder: string;
  /** Row counts M; 1 is always measured. */
  readonly rows: readonly number[];
  /** Committed rows before each pass. */
  readonly contexts: readonly number[];
  /** Native and wasm instruction sets, such as `avx2` or `relaxed`; without any, all that the machine has. */
  readonly variants: readonly string[];
  /** Most rounds per table row. */
  readonly rounds: number;
  /** Most seconds per table row. */
  readonly seconds: number;
  readonly threads: number;
  readonly code: Code;
}

/** A report whose data can be drawn. */
export interface VerifyReport extends Report {
  readonly data: { readonly options: object; readonly results: readonly VerifyResult[] };
}

/** A backend with one of its instruction sets. */
export interface Variant {
  readonly backend: PassesTask['backend'];
  readonly variant: string;
}

const LOW_SHARE = 0.1;

/** @throws GallopError `not-found` for a model, `invalid-argument` for an unknown variant */
export const runVerify = async (options: VerifyOptions, progress: Progress): Promise<VerifyReport> => {
  const models = findModels(options.models, options.modelsFolder);
  const { available, skipped } = availableVariants();
  const variants = chooseVariants(available, options.variants);
  const rowCounts = [...new Set([1, ...options.rows])].sort((a, b) => a - b);
  const contexts = [...options.contexts].sort((a, b) => a - b);
  const sections: Section[] = [];
  const results: VerifyResult[] = [];
  for (const model of models) {
    const found: VerifyResult[] = [];
    for (const variant of variants) {
      progress(`${modelName(model)}: ${variant.backend} ${variant.variant}`);
      found.push(...(await measureVariant(model, variant, { ...options, contexts, rows: rowCounts })));
    }
    sections.push(...contexts.map((context) => verifySection(modelName(model), context, rowCounts, found)));
    results.push(...found);
  }
  return {
    name: 'verify',
    title: `Cost of a pass over M rows compared with one row, c(M)/c(1): fastest passes, ${options.threads} threads`,
    sections,
    skipped,
    data: { options: { ...options, models }, results },
  };
};

/** Every instruction set that this machine runs, best first. */
const availableVariants = (): { readonly available: readonly Variant[]; readonly skipped: readonly string[] } => {
  const wasm = wasmVariants().map((variant): Variant => ({ backend: 'wasm', variant }));
  try {
    const native = nativeVariants().map((variant): Variant => ({ backend: 'native', variant }));
    return { available: [...native, ...wasm], skipped: [] };
  } catch (error) {
    if (!GallopError.isInstance(error, 'backend-unavailable')) throw error;
    return { available: wasm, skipped: [`backend native: ${error.message}`] };
  }
};

const chooseVariants = (available: readonly Variant[], named: readonly string[]): readonly Variant[] => {
  const names = available.map(({ variant }) => variant);
  for (const name of named) {
    requireArgument(names.includes(name), () => {
      return `Expected variants among ${names.join(', ')} on this machine; received ${name}; name one of these.`;
    });
  }
  return named.length === 0 ? available : available.filter(({ variant }) => named.includes(variant));
};

const measureVariant = async (
  model: string,
  { backend, variant }: Variant,
  { rows, contexts, rounds, seconds, threads, code }: VerifyOptions,
): Promise<readonly VerifyResult[]> => {
  using file = await openGguf(await openFile(model));
  const { ids } = modelPrompt(file.metadata, Math.max(...contexts, ...rows));
  const times = await runWorker<PassesTask, PassTimes>(
    'gallop-passes',
    { model, backend, threads, contexts, rowCounts: rows, rounds, budgetMilliseconds: seconds * 1000, promptIds: ids },
    { code, environment: variantEnvironment(backend, variant) },
  );
  return contexts.map((context, index) => ({
    model: modelName(model),
    backend,
    variant,
    context,
    passes: rows.map((count, row) => {
      const measured = times[index][row];
      return {
        rows: count,
        count: measured.length,
        minimum: minimum(measured),
        low: quantile(measured, LOW_SHARE),
        median: median(measured),
      };
    }),
  }));
};

const variantEnvironment = (backend: Variant['backend'], variant: string): Readonly<Record<string, string>> =>
  backend === 'native' ? { GALLOP_NATIVE_VARIANT: variant } : { GALLOP_WASM_VARIANT: variant };

/** Draws a report's first model as an SVG file. */
export const drawVerify = async ({ data }: VerifyReport, file: string): Promise<void> => {
  const { svgOf } = await import('../report/line-chart.ts');
  writeFileSync(file, svgOf(verifyChart(data.results)));
};

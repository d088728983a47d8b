/**
 * The contract that every backend fulfils, as a vitest suite: each command gives the reference backend's bits, whatever
 * the shapes, the rows computed together and the number of threads.
 */
import { describe, test } from 'vitest';
import type { Backend } from '../backend.ts';
import { attentionCases } from './attention-cases.ts';
import { compositeCases } from './composite-cases.ts';
import { elementwiseCases } from './elementwise-cases.ts';
import { invarianceCases } from './invariance-cases.ts';
import { layerCases } from './layer-cases.ts';
import { layoutCases } from './layout-cases.ts';
import { linearCases } from './linear-cases.ts';
import { memoryCases } from './memory-cases.ts';
import { productCases } from './product-cases.ts';
import { reductionCases } from './reduction-cases.ts';
import { rowCases } from './row-cases.ts';
import type { ContractCase } from './subject.ts';

export interface BackendContractOptions {
  /** What the suite is called in reports. */
  readonly name: string;
  /** A new backend; a backend that cannot use several threads may use fewer. The suite disposes of it. */
  create(options: { threads: number }): Backend | Promise<Backend>;
  /** Tests, by their exact names, that this backend cannot pass yet, and why. Default: none. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[];
}

const cases: readonly ContractCase[] = [
  ...memoryCases,
  ...linearCases,
  ...rowCases,
  ...attentionCases,
  ...elementwiseCases,
  ...layoutCases,
  ...reductionCases,
  ...productCases,
  ...layerCases,
  ...compositeCases,
  ...invarianceCases,
];

/**
 * Registers the suite.
 * @throws Error when `skip` names a test that does not exist
 */
export function backendContract(options: BackendContractOptions): void {
  const reasons = new Map(options.skip?.map(({ test: name, reason }) => [name, reason]));
  describe(`backend contract: ${options.name}`, () => {
    for (const { name, check } of cases) {
      const reason = reasons.get(name);
      reasons.delete(name);
      if (reason === undefined) test(name, () => check(options));
      else test.skip(`${name} (${reason})`, () => {});
    }
    if (reasons.size > 0) throw new Error(`no such tests to skip: ${[...reasons.keys()].join(', ')}`);
  });
}

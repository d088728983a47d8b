/** Reports: Spec-Bench's table, runs, depths, expectations. */
import {
  acceptanceByDepth,
  type BaselineItem,
  expectedSpeed,
  type MethodItem,
  multiRunReport,
  specBenchReport,
} from '@gallop/speculative';
import { register } from '../registry.ts';
import { integers, numbers } from './speculative-shared.ts';

const method = 'benchmarks';

register('speculative', method, 'report', ({ inputs }) => ({
  ...specBenchReport(inputs.items as MethodItem[], inputs.baseline as BaselineItem[]),
}));

register('speculative', method, 'multi-run', ({ inputs }) => ({
  ...multiRunReport(inputs.values as number[], inputs.acceptLengths as number[][]),
}));

register('speculative', method, 'acceptance-by-depth', (context) => ({
  ...acceptanceByDepth(
    integers(context, 'acceptLengths'),
    integers(context, 'draftedDepth'),
    context.params.maximumDepth as number,
  ),
}));

register('speculative', method, 'expected-speed', (context) => {
  const [acceptance, drafts, costRatio] = ['acceptance', 'drafts', 'costRatio'].map((name) =>
    numbers(context.tensor(name)),
  );
  const results = acceptance.map((alpha, i) => expectedSpeed(alpha, drafts[i], costRatio[i]));
  return {
    expectedTokens: results.map(({ expectedTokens }) => expectedTokens),
    speedup: results.map(({ speedup }) => speedup),
    operations: results.map(({ operations }) => operations),
  };
});

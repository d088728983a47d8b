/** `gallop generate`: text after a prompt, streamed for people or as one JSON object for programs. */

import { type GenerationResult, generate, type Model, type Prompt, type SpeculationTotals } from 'gallop';
import { withInterrupt } from '../interrupt.ts';
import { generateOptionsOf, loadOptionsOf, type ModelOptions, type SamplingFlags } from '../options.ts';
import { formatCount, formatDuration, formatNumber } from '../terminal/format.ts';
import { paintDraft, showsColours } from '../terminal/paint.ts';
import { StatusLine } from '../terminal/status-line.ts';
import { loadWithProgress } from './load.ts';

export interface GenerateFlags extends ModelOptions, SamplingFlags {
  readonly prompt: string;
  readonly raw?: true;
  readonly json?: true;
}

export const runGenerate = (flags: GenerateFlags): Promise<void> =>
  withInterrupt(async (signal) => {
    const { model, loadMilliseconds } = await loadWithProgress(flags.model, { ...loadOptionsOf(flags), signal });
    try {
      const chat = flags.raw !== true && model.hasChatTemplate;
      const prompt: Prompt = chat ? [{ role: 'user', content: flags.prompt }] : flags.prompt;
      const options = { ...generateOptionsOf(flags), signal };
      if (flags.json === true) {
        const result = await generate(model, prompt, options).result;
        process.stdout.write(`${JSON.stringify(jsonOf(result, model, loadMilliseconds))}\n`);
      } else {
        const result = await streamAnswer(model, prompt, options);
        process.stdout.write('\n');
        if (process.stderr.isTTY) process.stderr.write(`${summaryOf(result, model)}\n`);
      }
    } finally {
      model.dispose();
    }
  });

/** Streams an answer to standard output with a live status line, and returns the totals. */
export const streamAnswer = async (
  model: Model,
  prompt: Prompt,
  options: Parameters<typeof generate>[2],
): Promise<GenerationResult> => {
  using status = new StatusLine(process.stderr, process.stdout.isTTY === true);
  const start = performance.now();
  const inColour = showsColours(process.stdout);
  let first = 0;
  let count = 0;
  let steps = 0;
  const generation = generate(model, prompt, {
    ...options,
    onPiece: ({ text, proposer }) => process.stdout.write(inColour ? paintDraft(text, proposer) : text),
    onStep: ({ tokens, drafted }) => {
      count += tokens.length;
      steps++;
      first ||= performance.now();
      const seconds = (performance.now() - first) / 1000;
      const rate = count > 1 ? `${formatNumber((count - 1) / seconds)} tokens/s` : '';
      const passes = drafted === undefined ? '' : `  ${formatNumber(count / steps)} a pass`;
      status.update(
        `${formatCount(count, 'token')}  ${rate}  first token ${formatDuration(first - start)}  ${model.backend}${passes}`,
      );
    },
  });
  return generation.result;
};

/** One line about a finished answer. */
export const summaryOf = (result: GenerationResult, model: Model): string => {
  const { tokens, promptTokens, firstTokenMilliseconds, decodeTokensPerSecond, prefillTokensPerSecond } = result;
  const { speculation } = result;
  return [
    `${formatCount(tokens.length, 'token')} at ${formatNumber(decodeTokensPerSecond)}/s`,
    ...(speculation ? [draftsOf(speculation)] : []),
    `prompt ${promptTokens} at ${formatNumber(prefillTokensPerSecond)}/s`,
    `first token ${formatDuration(firstTokenMilliseconds)}`,
    `${model.backend}, ${formatCount(model.threads, 'thread')}`,
  ].join(' · ');
};

/** Tokens a pass, and how many each drafter gave, in its colour. */
const draftsOf = ({ tokensPerStep, acceptedBy }: SpeculationTotals): string => {
  const inColour = showsColours(process.stderr);
  const shares = Object.entries(acceptedBy).map(([name, count]) => {
    const share = `${name} ${count}`;
    return inColour ? paintDraft(share, name) : share;
  });
  return `${formatNumber(tokensPerStep)} a pass${shares.length > 0 ? ` (${shares.join(', ')})` : ''}`;
};

const KIBIBYTE = 1024;

const jsonOf = (result: GenerationResult, model: Model, loadMilliseconds: number): Record<string, unknown> => ({
  text: result.text,
  tokens: result.tokens,
  promptTokens: result.promptTokens,
  loadMilliseconds,
  firstTokenMilliseconds: result.firstTokenMilliseconds,
  prefillTokensPerSecond: result.prefillTokensPerSecond,
  decodeTokensPerSecond: result.decodeTokensPerSecond,
  ...(result.speculation && { speculation: result.speculation }),
  backend: model.backend,
  threads: model.threads,
  peakMemoryBytes: process.resourceUsage().maxRSS * KIBIBYTE,
});

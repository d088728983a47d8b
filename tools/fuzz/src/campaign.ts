/**
 * Runs cases of one target in a thread of its own, watches the time and the memory of each, and writes a reproducer for
 * every finding. A thread that hangs or dies is replaced, and the campaign goes on behind the case that did it.
 */
import { Worker } from 'node:worker_threads';
import type { WorkerMessage, WorkerTask } from './campaign-worker.ts';
import { Random } from './random.ts';
import { type Finding, writeReproducer } from './reproducer.ts';
import type { FuzzInput, FuzzTarget } from './target.ts';

export interface CampaignOptions {
  readonly targets: readonly FuzzTarget<FuzzInput>[];
  /** Module that exports the same targets, for the thread. */
  readonly module: string;
  readonly seed: number;
  readonly milliseconds: number;
  /** Most cases of each target. Default: as many as the time allows. */
  readonly cases?: number;
  /** Folder for reproducers. */
  readonly folder: string;
  /** Most milliseconds of one case. Default 5000. */
  readonly caseMilliseconds?: number;
  readonly report: (line: string) => void;
}

export interface CampaignResult {
  readonly target: string;
  readonly cases: number;
  readonly values: number;
  readonly refused: number;
  readonly findings: readonly { readonly file: string; readonly what: string }[];
}

const HEAP_MEGABYTES = 512;
/** After so many findings of one target there is enough to do. */
const MOST_FINDINGS = 10;

interface Outcome {
  /** Cases that ended. */
  readonly next: number;
  readonly values: number;
  readonly refused: number;
  /** Findings by case number. */
  readonly findings: readonly (readonly [number: number, what: string])[];
}

/** One thread, from a case on until the time is up, a case hangs, or the thread dies. */
function runThread(task: WorkerTask, caseMilliseconds: number): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const worker = new Worker(new URL('./campaign-worker.ts', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  const findings: [number, string][] = [];
  const stopAt = (what: string): void => {
    const number = task.progress[0];
    resolve({ next: number + 1, values: 0, refused: 0, findings: [...findings, [number, what]] });
  };
  const watch = setInterval(() => {
    const started = task.progress[1];
    if (started > 0 && Date.now() - started > caseMilliseconds) stopAt(`takes more than ${caseMilliseconds} ms`);
  }, 100);
  worker.on('message', (message: WorkerMessage) => {
    if (message.kind === 'finding') findings.push([message.number, message.what]);
    else resolve({ ...message, findings });
  });
  worker.on('error', (error) => stopAt(`ends the thread: ${error.message}`));
  worker.on('exit', (code) => stopAt(`ends the thread with status ${code}`));
  return promise.finally(async () => {
    clearInterval(watch);
    await worker.terminate();
  });
}

async function runTarget(
  target: FuzzTarget<FuzzInput>,
  milliseconds: number,
  options: CampaignOptions,
): Promise<CampaignResult> {
  const until = Date.now() + milliseconds;
  const files: { file: string; what: string }[] = [];
  const most = options.cases ?? Number.MAX_SAFE_INTEGER;
  let [next, values, refused] = [0, 0, 0];
  while (Date.now() < until && next < most && files.length < MOST_FINDINGS) {
    const progress = new Float64Array(new SharedArrayBuffer(16));
    const { module, seed } = options;
    const task = { module, target: target.name, seed, from: next, until, cases: most - next, progress };
    const outcome = await runThread(task, options.caseMilliseconds ?? 5000);
    next = outcome.next;
    values += outcome.values;
    refused += outcome.refused;
    for (const [number, what] of outcome.findings) {
      const finding: Finding = {
        target: target.name,
        seed,
        number,
        what,
        input: target.generate(new Random(seed, number)),
      };
      const file = writeReproducer(options.folder, finding);
      files.push({ file, what });
      options.report(`FOUND ${target.name} case ${number}: ${what}\n  replay with: pnpm fuzz --replay ${file}`);
    }
  }
  return { target: target.name, cases: next, values, refused, findings: files };
}

/** Runs every target for an equal share of the time. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult[]> {
  const results: CampaignResult[] = [];
  for (const target of options.targets) {
    const result = await runTarget(target, options.milliseconds / options.targets.length, options);
    const { cases, values, refused, findings } = result;
    options.report(
      `${target.name}: ${cases} cases, ${values} accepted, ${refused} refused, ${findings.length} findings`,
    );
    results.push(result);
  }
  return results;
}

/** `gallop convert`: a checkpoint or GGUF file in other weight types, written complete or not at all. */

import { stat } from 'node:fs/promises';
import { convertModel } from '@gallop/formats/node';
import { withInterrupt } from '../interrupt.ts';
import { formatBytes } from '../terminal/format.ts';
import { progressBar, StatusLine } from '../terminal/status-line.ts';

export interface ConvertFlags {
  readonly model: string;
  readonly out: string;
  readonly type: string;
}

export const runConvert = async ({ model, out, type }: ConvertFlags): Promise<void> => {
  const start = performance.now();
  {
    using status = new StatusLine(process.stderr, false);
    const onTensor = (name: string, index: number, count: number): void =>
      status.update(`converting ${progressBar(index / count)} ${name}`);
    await withInterrupt((signal) => convertModel(model, out, type, { signal, onTensor }));
  }
  const { size } = await stat(out);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${out}: ${type}, ${formatBytes(size)}, in ${seconds} s\n`);
};

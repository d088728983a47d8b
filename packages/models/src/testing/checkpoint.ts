/** Small random Hugging Face checkpoints in memory: a configuration, and tensors by name and shape. */
import {
  collectChunks,
  encodeSafetensors,
  type HuggingFaceModel,
  memorySource,
  openSafetensors,
} from '@gallop/formats';
import { Draws } from './draws.ts';

/** Norm weights lie around 1, other vectors around 0, matrices so that rows keep their size. */
function randomValues(draws: Draws, name: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.length > 1) return draws.gaussians(count, 1 / Math.sqrt(shape.at(-1)!));
  return draws.gaussians(count, 0.2, /(norm|ln_\w+)\.weight$/.test(name) ? 1 : 0);
}

/** @param shapes sizes by tensor name */
export async function tinyCheckpoint(
  config: Readonly<Record<string, unknown>>,
  shapes: Readonly<Record<string, readonly number[]>>,
  seed = 1,
): Promise<HuggingFaceModel> {
  const draws = new Draws(seed);
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const values = randomValues(draws, name, shape);
    return { name, dtype: 'F32' as const, shape: [...shape], data: new Uint8Array(values.buffer) };
  });
  const weights = await openSafetensors(memorySource(await collectChunks(encodeSafetensors(tensors))));
  return { name: 'tiny', config: JSON.stringify(config), weights };
}

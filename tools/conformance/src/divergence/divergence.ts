/**
 * How far 8-bit activations take a real model from what its weights say: the Kullback–Leibler divergence
 * Σ p ln(p / q) of the next token's distribution q from p with float32 activations, at the end of each prompt.
 */
import { type LanguageModel, softmax } from '@gallop/core';
import { loadModel } from 'gallop';

export interface Divergence {
  /** In nats. */
  readonly divergence: number;
  /** Whether the best token is the same. */
  readonly agrees: boolean;
}

async function lastLogits(model: LanguageModel, ids: Int32Array): Promise<Float32Array> {
  await using session = model.openSession();
  const { logits } = await session.forward({ ids, want: { logits: 'last' } });
  return logits!;
}

/** Of the distribution that the second row stands for from the first's. */
export function divergenceOf(reference: Float32Array, approximate: Float32Array): Divergence {
  const [p, q] = [softmax(reference), softmax(approximate)];
  const divergence = p.reduce((sum, value, id) => (value > 0 ? sum + value * Math.log(value / q[id]) : sum), 0);
  const largest = (values: Float64Array): number =>
    values.reduce((best, value, id) => (value > values[best] ? id : best), 0);
  return { divergence, agrees: largest(p) === largest(q) };
}

/** Measures a GGUF file; one way of computing after the other, so that only one is in memory. */
export async function measureDivergence(path: string, prompts: readonly string[]): Promise<Divergence[]> {
  const answers = async (activations: 'f32' | 'q8'): Promise<Float32Array[]> => {
    using model = await loadModel(path, { activations, threads: 1 });
    const rows: Float32Array[] = [];
    for (const prompt of prompts) rows.push(await lastLogits(model.languageModel, model.codec.encodeText(prompt)));
    return rows;
  };
  const references = await answers('f32');
  const approximate = await answers('q8');
  return references.map((logits, index) => divergenceOf(logits, approximate[index]));
}

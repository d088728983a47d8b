/**
 * Adapters of cases over real GGUF files, with float32 activations: the best tokens at the end of a prompt, and what
 * greedy decoding makes of it. The file is loaded once for all its cases.
 */
import { type ForwardResult, softmax } from '@gallop/core';
import { loadModel, type Model } from 'gallop';
import { type CaseContext, register } from '../registry.ts';

/** How many best tokens the cases record. */
const recordedTokens = 20;

const loaded = new Map<string, Promise<Model>>();

/** One thread: the figures do not depend on it, and a busy machine then costs no more than its share. */
async function modelOf(context: CaseContext): Promise<Model> {
  const path = await context.realFile();
  let model = loaded.get(path);
  if (!model) loaded.set(path, (model = loadModel(path, { activations: 'f32', threads: 1 })));
  return model;
}

async function greedy(context: CaseContext): Promise<Record<string, unknown>> {
  const { languageModel } = await modelOf(context);
  await using session = languageModel.openSession();
  const best = async (ids: Int32Array): Promise<ForwardResult> => {
    const result = await session.forward({ ids, want: { logits: 'last', topK: recordedTokens } });
    session.commit(Int32Array.from(ids.keys()));
    return result;
  };
  const prompt = Int32Array.from(context.tensor('tokens').data, Number);
  const { logits } = await session.forward({ ids: prompt, want: { logits: 'last' } });
  const first = await best(prompt);
  const [topToken, topLogit] = [first.topTokens![0], first.topLogits![0]];
  const tokens: number[] = [];
  let last = first;
  while (tokens.length < Number(context.params.newTokens)) {
    tokens.push(last.topTokens![0]);
    last = await best(Int32Array.of(last.topTokens![0]));
  }
  return {
    topTokens: first.topTokens,
    topLogits: first.topLogits,
    logSumExp: topLogit - Math.log(softmax(logits!)[topToken]),
    greedyTokens: tokens,
    lastTopTokens: last.topTokens,
    lastTopLogits: last.topLogits,
  };
}

register('models', 'real-smollm2', 'greedy', greedy);
register('models', 'real-gemma3', 'greedy', greedy);

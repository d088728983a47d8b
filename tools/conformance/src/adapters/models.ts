/** Models: token sequences, greedy decoding and token trees through `@gallop/models`, in float32. */
import type { LanguageModel, Session } from '@gallop/core';
import { openHuggingFaceFolder } from '@gallop/formats/node';
import { loadLanguageModel } from '@gallop/models';
import { type CaseContext, type CaseOutputs, register } from '../registry.ts';
import { decodeGreedily } from './greedy.ts';
import { withBackend } from './models-backend.ts';

/** An input of token ids or the like. */
export const tokensOf = (context: CaseContext, name: string): Int32Array =>
  Int32Array.from(context.tensor(name).data as Int32Array);

/** Loads the case's model for sequences of `length` tokens. */
async function withModel(
  context: CaseContext,
  length: number,
  body: (model: LanguageModel, session: Session) => Promise<CaseOutputs>,
): Promise<CaseOutputs> {
  const files = await openHuggingFaceFolder(context.modelFolder(context.params.model as string));
  return withBackend(async (backend) => {
    const model = await loadLanguageModel(files, backend, { activations: 'f32', contextLength: length });
    files.weights.close();
    try {
      return await body(model, model.openSession());
    } finally {
      model.dispose();
    }
  });
}

/** Masked diffusion models are recorded under the configuration of the network that they share. */
const attentionOf = ({ method }: CaseContext): { attention?: { kind: 'full' } } =>
  method === 'llada-like' ? { attention: { kind: 'full' } } : {};

register('models', '*', 'logits', async (context) => {
  const tokens = tokensOf(context, 'tokens');
  return withModel(context, tokens.length, async (model, session) => {
    const { logits } = await session.forward({ ids: tokens, want: { logits: 'all' }, ...attentionOf(context) });
    return { logits: { data: logits, shape: [tokens.length, model.vocabSize] } };
  });
});

register('models', '*', 'hidden', async (context) => {
  const tokens = tokensOf(context, 'tokens');
  return withModel(context, tokens.length, async (model, session) => {
    const layers = Array.from({ length: model.layerCount + 1 }, (_, layer) => layer);
    const { hidden } = await session.forward({ ids: tokens, want: { hidden: layers }, ...attentionOf(context) });
    const states = layers.map((layer) => hidden!.get(layer)!);
    const data = states.flatMap((state) => [...state]);
    return { hidden: { data, shape: [states.length, tokens.length, model.hiddenSize] } };
  });
});

register('models', '*', 'decode', async (context) => {
  const prompt = tokensOf(context, 'tokens');
  const count = context.params.newTokens as number;
  return withModel(context, prompt.length + count, (_, session) => decodeGreedily(session, { ids: prompt }, count));
});

register('models', '*', 'tree', async (context) => {
  const [prefix, tree, parents] = ['prefix', 'treeTokens', 'parents'].map((name) => tokensOf(context, name));
  return withModel(context, prefix.length + tree.length, async (model, session) => {
    await session.forward({ ids: prefix });
    session.commit(Int32Array.from(prefix.keys()));
    const { logits } = await session.forward({
      ids: tree,
      attention: { kind: 'tree', parents },
      want: { logits: 'all' },
    });
    return { logits: { data: logits, shape: [tree.length, model.vocabSize] } };
  });
});

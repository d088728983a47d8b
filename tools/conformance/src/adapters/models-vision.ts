/** Vision towers and vision-language models through `@gallop/models`, in float32. */
import { openHuggingFaceFolder } from '@gallop/formats/node';
import { loadVisionLanguageModel, loadVisionTower } from '@gallop/models';
import { register } from '../registry.ts';
import { decodeGreedily } from './greedy.ts';
import { tokensOf } from './models.ts';
import { withBackend } from './models-backend.ts';

register('models', '*', 'vision', async (context) => {
  const files = await openHuggingFaceFolder(context.modelFolder(context.params.model as string));
  const { data, shape } = context.tensor('pixelValues');
  return withBackend(async (backend) => {
    const tower = await loadVisionTower(files, backend, { activations: 'f32' });
    files.weights.close();
    const layers = Array.from({ length: tower.layerCount + 1 }, (_, layer) => layer);
    const { hidden, lastHidden, pooled } = tower.encode(data as Float32Array, { hidden: layers });
    tower.dispose();
    const rows = [shape[0], tower.rows, tower.hiddenSize];
    return {
      hidden: { data: layers.flatMap((layer) => [...hidden.get(layer)!]), shape: [layers.length, ...rows] },
      lastHidden: { data: lastHidden, shape: rows },
      pooled: { data: pooled, shape: [shape[0], tower.hiddenSize] },
    };
  });
});

/** Tokens that a case without `newTokens` records. */
const recordedTokens = 8;

register('models', 'llava', 'logits', async (context) => {
  const files = await openHuggingFaceFolder(context.modelFolder(context.params.model as string));
  const tokens = tokensOf(context, 'tokens');
  return withBackend(async (backend) => {
    const model = await loadVisionLanguageModel(files, backend, { activations: 'f32' });
    files.weights.close();
    try {
      const { languageModel, imageToken } = model;
      const features = model.encodeImages(context.tensor('pixelValues').data as Float32Array);
      const prompt = model.joinImages(tokens, features);
      const { logits } = await languageModel.openSession().forward({ ...prompt, want: { logits: 'all' } });
      const count = (context.params.newTokens as number | undefined) ?? recordedTokens;
      const greedy = await decodeGreedily(languageModel.openSession(), prompt, count, imageToken);
      return {
        imageFeatures: features,
        logits: { data: logits, shape: [tokens.length, languageModel.vocabSize] },
        greedyTokens: greedy.tokens,
      };
    } finally {
      model.dispose();
    }
  });
});

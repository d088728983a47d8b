/** Encoder–decoders through `@gallop/models`, in float32. */
import { openHuggingFaceFolder } from '@gallop/formats/node';
import { type EncodedInput, loadEncoderDecoder } from '@gallop/models';
import { type CaseContext, type CaseOutputs, register } from '../registry.ts';
import { decodeGreedily } from './greedy.ts';
import { tokensOf } from './models.ts';
import { withBackend } from './models-backend.ts';

async function withEncoded(
  context: CaseContext,
  body: (input: EncodedInput) => Promise<CaseOutputs>,
): Promise<CaseOutputs> {
  const files = await openHuggingFaceFolder(context.modelFolder(context.params.model as string));
  return withBackend(async (backend) => {
    const model = await loadEncoderDecoder(files, backend, { activations: 'f32' });
    files.weights.close();
    try {
      return await body(model.encode(tokensOf(context, 'encoderTokens')));
    } finally {
      model.dispose();
    }
  });
}

register('models', 't5', 'logits', (context) =>
  withEncoded(context, async (input) => {
    const tokens = tokensOf(context, 'decoderTokens');
    const { logits } = await input.openSession().forward({ ids: tokens, want: { logits: 'all' } });
    const rows = input.encoderHidden.length / input.hiddenSize;
    return {
      encoderHidden: { data: input.encoderHidden, shape: [rows, input.hiddenSize] },
      logits: { data: logits, shape: [tokens.length, input.vocabSize] },
    };
  }),
);

register('models', 't5', 'decode', (context) =>
  withEncoded(context, async (input) => {
    const start = Int32Array.of(context.params.startToken as number);
    return decodeGreedily(input.openSession(), { ids: start }, context.params.newTokens as number);
  }),
);

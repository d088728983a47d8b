/**
 * Llama (Touvron et al., 2023; grouped queries as in Llama 2): pre-norm blocks of rotary attention and a SiLU-gated MLP.
 *
 *   x ← x + Wo · attention(rope(Wq n), rope(Wk n), Wv n),   n = rmsNorm(x)
 *   x ← x + Wdown · (silu(Wgate m) ⊙ Wup m),                m = rmsNorm(x)
 */
import type { Recorder, Tensor, Weight } from '@gallop/tensor';
import type { DecoderConfig } from '../config.ts';
import { activationsFor, type ModelWeights } from '../loading/model-weights.ts';
import type { DecoderNetwork, LayerContext } from '../runtime/network.ts';

interface LlamaLayer {
  readonly attentionNorm: Tensor; // [hidden]
  readonly query: Weight; // [heads · headSize, hidden]
  readonly key: Weight; // [keyHeads · headSize, hidden]
  readonly value: Weight; // [keyHeads · headSize, hidden]
  readonly attentionOutput: Weight; // [hidden, heads · headSize]
  readonly mlpNorm: Tensor; // [hidden]
  readonly gate: Weight; // [feedForward, hidden]
  readonly up: Weight; // [feedForward, hidden]
  readonly down: Weight; // [hidden, feedForward]
}

async function loadLayer(weights: ModelWeights, config: DecoderConfig, index: number): Promise<LlamaLayer> {
  const { hiddenSize, feedForwardSize, heads, keyHeads, headSize } = config;
  const name = (part: string): string => `blk.${index}.${part}.weight`;
  return {
    attentionNorm: await weights.vector(name('attn_norm'), hiddenSize),
    query: await weights.matrix(name('attn_q'), heads * headSize, hiddenSize),
    key: await weights.matrix(name('attn_k'), keyHeads * headSize, hiddenSize),
    value: await weights.matrix(name('attn_v'), keyHeads * headSize, hiddenSize),
    attentionOutput: await weights.matrix(name('attn_output'), hiddenSize, heads * headSize),
    mlpNorm: await weights.vector(name('ffn_norm'), hiddenSize),
    gate: await weights.matrix(name('ffn_gate'), feedForwardSize, hiddenSize),
    up: await weights.matrix(name('ffn_up'), feedForwardSize, hiddenSize),
    down: await weights.matrix(name('ffn_down'), hiddenSize, feedForwardSize),
  };
}

/** Loads a Llama network. Tensor names are GGUF's. */
export async function loadLlama(weights: ModelWeights, config: DecoderConfig): Promise<DecoderNetwork> {
  const { vocabSize, hiddenSize, heads, keyHeads, headSize, normEpsilon } = config;
  const scale = Math.fround(headSize ** -0.5);
  const embeddings = await weights.matrix('token_embd.weight', vocabSize, hiddenSize);
  const layers: LlamaLayer[] = [];
  for (let index = 0; index < config.layerCount; index++) layers.push(await loadLayer(weights, config, index));
  const finalNorm = await weights.vector('output_norm.weight', hiddenSize);
  const head = weights.has('output.weight') ? await weights.matrix('output.weight', vocabSize, hiddenSize) : embeddings;

  function attention(t: Recorder, w: LlamaLayer, x: Tensor, context: LayerContext): void {
    const n = t.rmsNorm(x, w.attentionNorm, normEpsilon, { dtype: activationsFor(context, w.query, w.key, w.value) });
    const q = t.linear(n, w.query); // [rows, heads · headSize]
    const k = t.linear(n, w.key); // [rows, keyHeads · headSize]
    const v = t.linear(n, w.value);
    context.rotate(q, heads, 'global');
    context.rotate(k, keyHeads, 'global');
    const mixed = context.attend(q, k, v, { scale }); // [rows, heads · headSize]
    t.linear(mixed, w.attentionOutput, { addTo: x });
  }

  function mlp(t: Recorder, w: LlamaLayer, x: Tensor, context: LayerContext): void {
    const m = t.rmsNorm(x, w.mlpNorm, normEpsilon, { dtype: activationsFor(context, w.gate, w.up) });
    const gated = t.gated(t.linear(m, w.gate), t.linear(m, w.up), 'silu', activationsFor(context, w.down)); // [rows, feedForward]
    t.linear(gated, w.down, { addTo: x });
  }

  return {
    config,
    headActivations: activationsFor(weights, head),
    embed: (t, ids) => t.embed(embeddings, ids),
    layer(t, index, x, context) {
      t.scope(() => attention(t, layers[index]!, x, context));
      t.scope(() => mlp(t, layers[index]!, x, context));
    },
    finish: (t, x, dtype) => t.rmsNorm(x, finalNorm, normEpsilon, { dtype }),
    logits: (t, x) => t.linear(x, head),
    dispose: () => weights.dispose(),
  };
}

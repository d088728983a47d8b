/**
 * Gemma 3 text (Gemma Team, 2025): embeddings scaled by √hidden, norms before and after each branch, normed query and
 * key heads, GELU gate, and five sliding-window layers (rotary base 10,000) to each global one.
 *
 *   x ← x + norm(Wo · attention(rope(norm Wq n), rope(norm Wk n), Wv n)),   n = rmsNorm(x)
 *   x ← x + norm(Wdown · (gelu(Wgate m) ⊙ Wup m)),                          m = rmsNorm(x)
 *
 * GGUF stores norm weights ready to multiply (the checkpoint's weight + 1).
 */
import { type Recorder, Tensor, type Weight } from '@gallop/tensor';
import type { DecoderConfig } from '../config.ts';
import { activationsFor, type ModelWeights } from '../loading/model-weights.ts';
import type { DecoderNetwork, LayerContext } from '../runtime/network.ts';

export interface Gemma3Config extends DecoderConfig {
  /** Keys a sliding layer sees. */
  readonly window: number;
  /** Every n-th layer sees everything. */
  readonly globalEvery: number;
}

interface Gemma3Layer {
  readonly attentionNorm: Tensor; // [hidden]
  readonly query: Weight; // [heads · headSize, hidden]
  readonly key: Weight; // [keyHeads · headSize, hidden]
  readonly value: Weight; // [keyHeads · headSize, hidden]
  readonly queryNorm: Tensor; // [headSize]
  readonly keyNorm: Tensor; // [headSize]
  readonly attentionOutput: Weight; // [hidden, heads · headSize]
  readonly postAttentionNorm: Tensor; // [hidden]
  readonly mlpNorm: Tensor; // [hidden]
  readonly gate: Weight; // [feedForward, hidden]
  readonly up: Weight; // [feedForward, hidden]
  readonly down: Weight; // [hidden, feedForward]
  readonly postMlpNorm: Tensor; // [hidden]
}

async function loadLayer(weights: ModelWeights, config: DecoderConfig, index: number): Promise<Gemma3Layer> {
  const { hiddenSize, feedForwardSize, heads, keyHeads, headSize } = config;
  const name = (part: string): string => `blk.${index}.${part}.weight`;
  return {
    attentionNorm: await weights.vector(name('attn_norm'), hiddenSize),
    query: await weights.matrix(name('attn_q'), heads * headSize, hiddenSize),
    key: await weights.matrix(name('attn_k'), keyHeads * headSize, hiddenSize),
    value: await weights.matrix(name('attn_v'), keyHeads * headSize, hiddenSize),
    queryNorm: await weights.vector(name('attn_q_norm'), headSize),
    keyNorm: await weights.vector(name('attn_k_norm'), headSize),
    attentionOutput: await weights.matrix(name('attn_output'), hiddenSize, heads * headSize),
    postAttentionNorm: await weights.vector(name('post_attention_norm'), hiddenSize),
    mlpNorm: await weights.vector(name('ffn_norm'), hiddenSize),
    gate: await weights.matrix(name('ffn_gate'), feedForwardSize, hiddenSize),
    up: await weights.matrix(name('ffn_up'), feedForwardSize, hiddenSize),
    down: await weights.matrix(name('ffn_down'), hiddenSize, feedForwardSize),
    postMlpNorm: await weights.vector(name('post_ffw_norm'), hiddenSize),
  };
}

/** The same rows seen as one row per head: [rows, heads · headSize] → [rows · heads, headSize]. */
function byHead(x: Tensor, headSize: number): Tensor {
  return new Tensor(x.memory, x.byteOffset, [(x.rows * x.columns) / headSize, headSize], x.dtype);
}

/** Loads a Gemma 3 text network. Tensor names are GGUF's. */
export async function loadGemma3(weights: ModelWeights, config: Gemma3Config): Promise<DecoderNetwork> {
  const { vocabSize, hiddenSize, heads, keyHeads, headSize, normEpsilon } = config;
  const scale = Math.fround(headSize ** -0.5);
  const embeddings = await weights.matrix('token_embd.weight', vocabSize, hiddenSize);
  const layers: Gemma3Layer[] = [];
  for (let index = 0; index < config.layerCount; index++) layers.push(await loadLayer(weights, config, index));
  const finalNorm = await weights.vector('output_norm.weight', hiddenSize);
  const head = weights.has('output.weight') ? await weights.matrix('output.weight', vocabSize, hiddenSize) : embeddings;

  function attention(t: Recorder, index: number, x: Tensor, context: LayerContext): void {
    const w = layers[index]!;
    const isGlobal = (index + 1) % config.globalEvery === 0;
    const rotary = isGlobal ? 'global' : 'local';
    const n = t.rmsNorm(x, w.attentionNorm, normEpsilon, { dtype: activationsFor(context, w.query, w.key, w.value) });
    const q = t.linear(n, w.query); // [rows, heads · headSize]
    const k = t.linear(n, w.key); // [rows, keyHeads · headSize]
    const v = t.linear(n, w.value);
    t.rmsNorm(byHead(q, headSize), w.queryNorm, normEpsilon, { inPlace: true });
    t.rmsNorm(byHead(k, headSize), w.keyNorm, normEpsilon, { inPlace: true });
    context.rotate(q, heads, rotary);
    context.rotate(k, keyHeads, rotary);
    const mixed = context.attend(q, k, v, isGlobal ? { scale } : { scale, window: config.window });
    t.rmsNorm(t.linear(mixed, w.attentionOutput), w.postAttentionNorm, normEpsilon, { addTo: x });
  }

  function mlp(t: Recorder, w: Gemma3Layer, x: Tensor, context: LayerContext): void {
    const m = t.rmsNorm(x, w.mlpNorm, normEpsilon, { dtype: activationsFor(context, w.gate, w.up) });
    const gated = t.gated(t.linear(m, w.gate), t.linear(m, w.up), 'gelu-tanh', activationsFor(context, w.down));
    t.rmsNorm(t.linear(gated, w.down), w.postMlpNorm, normEpsilon, { addTo: x });
  }

  return {
    config,
    headActivations: activationsFor(weights, head),
    embed: (t, ids) => t.embed(embeddings, ids, Math.fround(Math.sqrt(hiddenSize))),
    layer(t, index, x, context) {
      t.scope(() => attention(t, index, x, context));
      t.scope(() => mlp(t, layers[index]!, x, context));
    },
    finish: (t, x, dtype) => t.rmsNorm(x, finalNorm, normEpsilon, { dtype }),
    logits: (t, x) => t.linear(x, head),
    dispose: () => weights.dispose(),
  };
}

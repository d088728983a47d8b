/**
 * StableLM (Bellagente et al., 2024): Llama with LayerNorm for RMSNorm, and rotation of a quarter of each head.
 *
 *   x ← x + Wo · attention(rope(Wq n), rope(Wk n), Wv n),   n = layerNorm(x)
 *   x ← x + Wdown · (silu(Wgate m) ⊙ Wup m),                m = layerNorm(x)
 */
import {
  type Architecture,
  activationsFor,
  type DecoderConfig,
  type DecoderNetwork,
  isTied,
  loadRotary,
  type NamedWeights,
  type Naming,
  readDecoderSizes,
  readRotary,
} from '@gallop/models';
import {
  attentionActivations,
  gatedMlp,
  gatedMlpActivations,
  loadAttention,
  loadGatedMlp,
  loadLayerNorm,
  normalize,
  project,
  selfAttention,
} from '@gallop/models/blocks';

/** For each part: its name in Hugging Face checkpoints, and in GGUF files. `{}` is the layer. */
const naming: Naming = {
  prefixes: ['model.', ''],
  names: {
    embeddings: ['embed_tokens.weight', 'token_embd.weight'],
    finalNorm: ['norm.weight', 'output_norm.weight'],
    head: ['lm_head.weight', 'output.weight'],
    attentionNorm: ['layers.{}.input_layernorm.weight', 'blk.{}.attn_norm.weight'],
    query: ['layers.{}.self_attn.q_proj.weight', 'blk.{}.attn_q.weight'],
    key: ['layers.{}.self_attn.k_proj.weight', 'blk.{}.attn_k.weight'],
    value: ['layers.{}.self_attn.v_proj.weight', 'blk.{}.attn_v.weight'],
    attentionOutput: ['layers.{}.self_attn.o_proj.weight', 'blk.{}.attn_output.weight'],
    mlpNorm: ['layers.{}.post_attention_layernorm.weight', 'blk.{}.ffn_norm.weight'],
    gate: ['layers.{}.mlp.gate_proj.weight', 'blk.{}.ffn_gate.weight'],
    up: ['layers.{}.mlp.up_proj.weight', 'blk.{}.ffn_up.weight'],
    down: ['layers.{}.mlp.down_proj.weight', 'blk.{}.ffn_down.weight'],
  },
};

/** What one layer holds: the blocks say how each is computed. */
async function loadLayer(weights: NamedWeights, config: DecoderConfig) {
  const { hiddenSize, normEpsilon } = config;
  return {
    attentionNorm: await loadLayerNorm(weights, 'attentionNorm', hiddenSize, normEpsilon),
    attention: await loadAttention(weights, config, { bias: 'stored' }),
    mlpNorm: await loadLayerNorm(weights, 'mlpNorm', hiddenSize, normEpsilon),
    mlp: await loadGatedMlp(weights, config, 'silu'),
  };
}

async function loadStableLm(weights: NamedWeights, config: DecoderConfig, tied: boolean): Promise<DecoderNetwork> {
  const { vocabSize, hiddenSize, headSize, normEpsilon } = config;
  const scale = Math.fround(headSize ** -0.5);
  const embeddings = await weights.matrix('embeddings', vocabSize, hiddenSize);
  const layers: Awaited<ReturnType<typeof loadLayer>>[] = [];
  for (let index = 0; index < config.layerCount; index++) layers.push(await loadLayer(weights.at(index), config));
  const finalNorm = await loadLayerNorm(weights, 'finalNorm', hiddenSize, normEpsilon);
  const head = tied ? embeddings : await weights.matrix('head', vocabSize, hiddenSize);

  return {
    config,
    headActivations: activationsFor(weights, head),
    embed: (t, ids) => t.embed(embeddings, ids),
    layer(t, index, x, context) {
      const { attentionNorm, attention, mlpNorm, mlp } = layers[index]!;
      t.scope(() => {
        const n = normalize(t, x, attentionNorm, { dtype: attentionActivations(context, attention) });
        const mixed = selfAttention(t, attention, n, config, context, { scale, rotary: 'global' });
        project(t, mixed, attention.output, x); // adds to x
        const m = normalize(t, x, mlpNorm, { dtype: gatedMlpActivations(context, mlp) });
        gatedMlp(t, mlp, m, context, x); // adds to x
      });
    },
    finish: (t, x, dtype) => normalize(t, x, finalNorm, { dtype }),
    logits: (t, x) => t.linear(x, head),
    dispose: () => weights.all.dispose(),
  };
}

export const stableLm: Architecture = {
  huggingFace: ['stablelm'],
  gguf: ['stablelm'],
  naming,
  plan(settings, source) {
    const epsilon = settings.number(['layer_norm_eps', 'attention.layer_norm_epsilon'], 1e-5);
    const sizes = readDecoderSizes(settings, source, epsilon);
    const { headSize, contextLength } = sizes;
    const rotary = readRotary(settings, { headSize, maxPositions: contextLength, partialFactor: 0.25 });
    const tied = isTied(settings, source, false);
    return {
      contextLength,
      async load(weights, length) {
        const global = await loadRotary(weights, rotary, 'halves', length);
        return loadStableLm(weights, { ...sizes, rotary: { global } }, tied);
      },
    };
  },
};

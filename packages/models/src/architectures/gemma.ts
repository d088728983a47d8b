/** How files describe Gemma 2 and 3, and where they keep the tensors. */
import { gateNamed } from '../blocks/activation.ts';
import type { Naming } from '../loading/named-weights.ts';
import { loadRotary, type RotaryFacts, readRotary } from '../loading/rotary-settings.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';
import { type GemmaConfig, loadGemma } from '../networks/gemma.ts';
import type { RotaryParameters } from '../runtime/rotary.ts';
import type { Architecture } from './architecture.ts';
import { isTied, readDecoderSizes, readLayerTypes, readRmsEpsilon, readWindow } from './decoder-settings.ts';
import { llamaNaming } from './llama.ts';

const naming: Naming = {
  ...llamaNaming,
  names: {
    ...llamaNaming.names,
    postAttentionNorm: ['layers.{}.post_attention_layernorm.weight', 'blk.{}.post_attention_norm.weight'],
    mlpNorm: ['layers.{}.pre_feedforward_layernorm.weight', 'blk.{}.ffn_norm.weight'],
    postMlpNorm: ['layers.{}.post_feedforward_layernorm.weight', 'blk.{}.post_ffw_norm.weight'],
  },
};

/** What tells the two generations apart. */
interface Generation {
  readonly hasCaps: boolean;
  readonly headNorms: boolean;
  /** Every n-th layer sees everything, where no list says which. */
  readonly globalEvery: number;
  /** Layers of the model of 27 billion weights. */
  readonly largestLayers: number;
  /** Base of the global layers where nothing is said. */
  readonly base: number;
  /** Sliding layers turn by these parameters instead of the global ones. */
  readonly local?: (settings: Settings, facts: RotaryFacts) => RotaryParameters;
}

const second: Generation = { hasCaps: true, headNorms: false, globalEvery: 2, largestLayers: 46, base: 10_000 };
const third: Generation = {
  hasCaps: false,
  headNorms: true,
  globalEvery: 6,
  largestLayers: 62,
  base: 1_000_000,
  local(settings, { headSize, maxPositions }) {
    const stated = settings.json.view('rope_parameters').get('sliding_attention') !== undefined;
    if (stated) return readRotary(settings, { headSize, maxPositions, layerType: 'sliding_attention' });
    return { type: 'default', base: settings.json.number('rope_local_base_freq', 10_000), headSize, maxPositions };
  },
};

/** Wrappers with a vision tower keep the language model's configuration in an object of its own. */
function textSettings(settings: Settings): Settings {
  return settings.json.get('text_config') === undefined
    ? settings
    : settings.part('text_config', { model_type: 'gemma3_text' });
}

function gemmaConfig(generation: Generation, settings: Settings, source: WeightSource): Omit<GemmaConfig, 'rotary'> {
  const { json } = settings;
  const sizes = readDecoderSizes(settings, source, readRmsEpsilon(settings));
  const { layerCount, headSize, heads, hiddenSize } = sizes;
  const types = readLayerTypes(settings, layerCount);
  const every = json.number('sliding_window_pattern', json.number('_sliding_window_pattern', generation.globalEvery));
  const window = readWindow(settings);
  // GGUF files do not say that the models of 27 billion weights scale by another size.
  const isLargest = settings.container === 'gguf' && layerCount === generation.largestLayers;
  const scalar = json.number('query_pre_attn_scalar', isLargest ? hiddenSize / heads : headSize);
  const cap = (keys: readonly [string, string]): number | undefined =>
    generation.hasCaps ? settings.optional(keys) : undefined;
  const scoreCap = cap(['attn_logit_softcapping', 'attn_logit_softcapping']);
  const logitCap = cap(['final_logit_softcapping', 'final_logit_softcapping']);
  return {
    ...sizes,
    layers: Array.from({ length: layerCount }, (_, index) => {
      const isGlobal = types ? types[index] === 'full_attention' : (index + 1) % every === 0;
      const rotary = isGlobal || !generation.local ? 'global' : 'local';
      return isGlobal || window === undefined ? { rotary } : { rotary, window };
    }),
    scoreScale: Math.fround(scalar ** -0.5),
    ...(scoreCap !== undefined && { scoreCap }),
    ...(logitCap !== undefined && { logitCap }),
    headNorms: generation.headNorms,
    bias: settings.container === 'gguf' ? 'stored' : json.boolean('attention_bias', false),
    activation: gateNamed(json.string('hidden_activation', json.string('hidden_act', 'gelu_pytorch_tanh'))),
    tied: isTied(settings, source, true),
  };
}

function architecture(huggingFace: readonly string[], gguf: readonly string[], generation: Generation): Architecture {
  return {
    huggingFace,
    gguf,
    naming,
    plan(outer, source) {
      const settings = textSettings(outer);
      const config = gemmaConfig(generation, settings, source);
      const { headSize, contextLength } = config;
      const facts = { headSize, maxPositions: contextLength, base: generation.base };
      const global = readRotary(settings, { ...facts, layerType: 'full_attention' });
      const local = generation.local?.(settings, facts) ?? global;
      return {
        contextLength,
        async load(weights, length) {
          const rotary = {
            global: await loadRotary(weights, global, 'halves', length),
            local: await loadRotary(weights, local, 'halves', length),
          };
          return loadGemma(weights, { ...config, rotary });
        },
      };
    },
  };
}

export const gemmaArchitectures: readonly Architecture[] = [
  architecture(['gemma2'], ['gemma2'], second),
  architecture(['gemma3_text', 'gemma3'], ['gemma3'], third),
];

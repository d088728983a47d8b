/** How files describe LLaVA's kind of model: a vision tower, a language model, and a projector between them. */
import type { Naming } from '../loading/named-weights.ts';
import type { Settings } from '../loading/settings.ts';
import type { ArchitectureNames } from './architecture.ts';

/** What configurations leave out: the defaults of the libraries that wrote them. */
const clipDefaults = {
  model_type: 'clip_vision_model',
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  image_size: 224,
  patch_size: 32,
};
const llamaDefaults = {
  model_type: 'llama',
  hidden_size: 4096,
  intermediate_size: 11008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  max_position_embeddings: 2048,
  vocab_size: 32000,
  rms_norm_eps: 1e-6,
};

const naming: Naming = {
  prefixes: ['multi_modal_projector.', 'model.multi_modal_projector.'],
  names: { first: ['linear_1.weight', ''], second: ['linear_2.weight', ''] },
};

/** Names of the projector; tower and language model have architectures of their own. */
export const llavaArchitecture: ArchitectureNames = { huggingFace: ['llava'], gguf: [], naming };

/** Settings of the language model within. */
export function llavaText(settings: Settings): Settings {
  return settings.part('text_config', llamaDefaults);
}

/** Settings of the vision tower within. */
export function llavaVision(settings: Settings): Settings {
  return settings.part('vision_config', clipDefaults);
}

/** The sizes that decoders share, read and checked, and the lists that say what each layer does. */
import { GallopError } from '@gallop/core';
import type { DecoderConfig } from '../config.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';

export type DecoderSizes = Omit<DecoderConfig, 'rotary'>;

/** More layers than this are a damaged file, not a model. */
const mostLayers = 4096;

/**
 * @param contextLength where the file names none. Default: it must
 * @throws GallopError `invalid-file`
 */
export function readDecoderSizes(
  settings: Settings,
  source: WeightSource,
  normEpsilon: number,
  contextLength?: number,
): DecoderSizes {
  const hiddenSize = settings.count([['hidden_size', 'n_embd', 'd_model'], 'embedding_length']);
  const heads = settings.count([['num_attention_heads', 'n_head', 'n_heads'], 'attention.head_count']);
  const keyHeads = settings.count([['num_key_value_heads', 'n_kv_heads'], 'attention.head_count_kv'], heads);
  const headSize = settings.count(['head_dim', 'attention.key_length'], hiddenSize / heads);
  const sizes: DecoderSizes = {
    architecture: settings.architecture,
    vocabSize: readVocabSize(settings, source),
    contextLength: settings.count(
      [['max_position_embeddings', 'n_positions', 'n_ctx', 'max_sequence_length', 'seq_length'], 'context_length'],
      contextLength,
    ),
    layerCount: readLayerCount(settings),
    hiddenSize,
    feedForwardSize: settings.count(
      [['intermediate_size', 'ffn_dim', 'n_inner', 'mlp_hidden_size'], 'feed_forward_length'],
      4 * hiddenSize,
    ),
    heads,
    keyHeads,
    headSize,
    normEpsilon,
  };
  checkHeads(sizes);
  if (!(normEpsilon >= 0 && normEpsilon < 1))
    throw new GallopError('invalid-file', `expected a norm's epsilon within [0, 1); the file says ${normEpsilon}`);
  return sizes;
}

/** @throws GallopError `invalid-file` */
export function readLayerCount(
  settings: Settings,
  huggingFace: string | readonly string[] = ['num_hidden_layers', 'n_layer', 'n_layers'],
  gguf = 'block_count',
  fallback?: number,
): number {
  const layers = settings.count([huggingFace, gguf], fallback);
  if (layers <= mostLayers) return layers;
  throw new GallopError('invalid-file', `expected at most ${mostLayers} layers; the file says ${layers}`);
}

/** Rows of the embedding matrix. @throws GallopError `invalid-file` also where the tokenizer has more tokens */
export function readVocabSize(settings: Settings, source: WeightSource): number {
  if (settings.container === 'huggingFace') return settings.count(['vocab_size', 'vocab_size']);
  const embeddings = source.find('token_embd.weight');
  if (!embeddings)
    throw new GallopError(
      'invalid-file',
      'expected tensor "token_embd.weight", the embeddings; the file has none; use a complete conversion of the model',
    );
  const vocabSize = settings.count(['vocab_size', 'vocab_size'], embeddings.shape[0]);
  const tokens = settings.metadata?.strings('tokenizer.ggml.tokens')?.length ?? 0;
  if (tokens <= vocabSize) return vocabSize;
  throw new GallopError(
    'invalid-file',
    `expected embeddings for all ${tokens} tokens of the tokenizer; the file has ${vocabSize}; convert the model again`,
  );
}

/** @throws GallopError `invalid-file` */
export function checkHeads({ heads, keyHeads, headSize }: Pick<DecoderSizes, 'heads' | 'keyHeads' | 'headSize'>): void {
  if (heads % keyHeads === 0 && headSize <= 1024 && heads * headSize < 2 ** 24) return;
  throw new GallopError(
    'invalid-file',
    `expected query heads to be a multiple of key heads, of size at most 1024; the file says ${heads}, ${keyHeads} and ${headSize}; download or convert the model again`,
  );
}

/** Whether the head is the embedding matrix: as config.json says, and in GGUF where it is not stored. */
export function isTied(settings: Settings, source: WeightSource, fallback: boolean): boolean {
  return settings.container === 'gguf'
    ? source.find('output.weight') === undefined
    : settings.json.boolean('tie_word_embeddings', settings.json.boolean('weight_tying', fallback));
}

/** `layer_types` of config.json, or undefined. @throws GallopError `invalid-file` for a list of another length */
export function readLayerTypes(settings: Settings, layerCount: number): readonly unknown[] | undefined {
  const types = settings.json.list('layer_types');
  if (types.length === 0) return undefined;
  if (types.length === layerCount) return types;
  throw new GallopError('invalid-file', `expected ${layerCount} layer_types; config.json lists ${types.length}`);
}

/** A window in keys, or undefined where there is none. @throws GallopError `invalid-file` */
export function readWindow(settings: Settings): number | undefined {
  const window = settings.optional(['sliding_window', 'attention.sliding_window']);
  if (window === undefined || window === 0) return undefined;
  if (Number.isInteger(window) && window > 0) return window;
  throw new GallopError('invalid-file', `expected a sliding window of at least 1; the file says ${window}`);
}

/** RMSNorm's epsilon. */
export function readRmsEpsilon(settings: Settings): number {
  return settings.number([['rms_norm_eps', 'layer_norm_epsilon'], 'attention.layer_norm_rms_epsilon']);
}

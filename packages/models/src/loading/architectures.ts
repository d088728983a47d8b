/** The architectures of GGUF files that can be run, each with how its metadata reads and how its network loads. */
import { GallopError } from '@gallop/core';
import type { GgufFile, GgufMetadata } from '@gallop/formats';
import type { DecoderConfig, RotaryConfig } from '../config.ts';
import { type Gemma3Config, loadGemma3 } from '../networks/gemma3.ts';
import { loadLlama } from '../networks/llama.ts';
import type { DecoderNetwork } from '../runtime/network.ts';
import type { ModelWeights } from './model-weights.ts';

type Architecture = (file: GgufFile) => {
  readonly config: DecoderConfig;
  load(weights: ModelWeights): Promise<DecoderNetwork>;
};

const architectures: Readonly<Record<string, Architecture>> = {
  llama: (file) => {
    const config = readConfig(file, 'llama', 'adjacent');
    return { config, load: (weights) => loadLlama(weights, config) };
  },
  gemma3: (file) => {
    const base = readConfig(file, 'gemma3', 'halves');
    const local: RotaryConfig = { base: 10_000, dimensions: base.headSize, pairing: 'halves' };
    const config: Gemma3Config = {
      ...base,
      rotary: { ...base.rotary, local },
      window: file.metadata.number('gemma3.attention.sliding_window'),
      globalEvery: 6,
    };
    return { config, load: (weights) => loadGemma3(weights, config) };
  },
};

/** Names of the architectures that can be loaded. */
export const supportedArchitectures: readonly string[] = Object.keys(architectures);

/** @throws GallopError `unsupported` for another architecture, `invalid-file` for metadata that does not fit together */
export function architectureOf(file: GgufFile): ReturnType<Architecture> {
  const name = file.metadata.string('general.architecture');
  const architecture = Object.hasOwn(architectures, name) ? architectures[name] : undefined;
  if (architecture) return architecture(file);
  throw new GallopError(
    'unsupported',
    `this file holds a network of architecture "${name}"; supported are ${supportedArchitectures.join(', ')}; see docs/adding-a-model.md for how to add one`,
  );
}

function readConfig(file: GgufFile, prefix: string, pairing: RotaryConfig['pairing']): DecoderConfig {
  const { metadata } = file;
  const number = (key: string, fallback?: number): number => metadata.number(`${prefix}.${key}`, fallback);
  const hiddenSize = number('embedding_length');
  const heads = number('attention.head_count');
  const headSize = number('attention.key_length', hiddenSize / heads);
  const embeddings = file.tensor('token_embd.weight');
  const config: DecoderConfig = {
    architecture: prefix,
    vocabSize: embeddings.dimensions[1] ?? 0,
    contextLength: number('context_length'),
    layerCount: number('block_count'),
    hiddenSize,
    feedForwardSize: number('feed_forward_length'),
    heads,
    keyHeads: number('attention.head_count_kv', heads),
    headSize,
    normEpsilon: number('attention.layer_norm_rms_epsilon'),
    rotary: { global: readRotary(metadata, prefix, headSize, pairing) },
  };
  checkConfig(config);
  return config;
}

function readRotary(
  metadata: GgufMetadata,
  prefix: string,
  headSize: number,
  pairing: RotaryConfig['pairing'],
): RotaryConfig {
  const type = metadata.string(`${prefix}.rope.scaling.type`, 'none');
  if (type !== 'none' && type !== 'linear')
    throw new GallopError('unsupported', `rope scaling "${type}" cannot be run; supported are none and linear`);
  return {
    base: metadata.number(`${prefix}.rope.freq_base`, 10_000),
    dimensions: metadata.number(`${prefix}.rope.dimension_count`, headSize),
    pairing,
    scale: type === 'linear' ? metadata.number(`${prefix}.rope.scaling.factor`, 1) : 1,
  };
}

function checkConfig(config: DecoderConfig): void {
  const counts = [
    'vocabSize',
    'contextLength',
    'layerCount',
    'hiddenSize',
    'feedForwardSize',
    'heads',
    'keyHeads',
    'headSize',
  ] as const;
  for (const name of counts)
    if (!Number.isInteger(config[name]) || config[name] < 1)
      throw new GallopError(
        'invalid-file',
        `expected a positive integer for ${name}; the file says ${config[name]}; convert the model again`,
      );
  const rotary = config.rotary.global!.dimensions;
  if (config.heads % config.keyHeads !== 0 || rotary > config.headSize || rotary % 2 !== 0 || config.headSize > 1024)
    throw new GallopError(
      'invalid-file',
      `expected query heads to be a multiple of key heads, and an even rotary size within a head of at most 1024; the file says ${config.heads}, ${config.keyHeads}, ${rotary} of ${config.headSize}`,
    );
}

/** How files describe ViT and the vision towers of CLIP and SigLIP, and where they keep the tensors. */
import { GallopError } from '@gallop/core';
import { activationNamed } from '../blocks/activation.ts';
import type { NamedWeights, Naming, TensorNames } from '../loading/named-weights.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';
import { loadVisionTowerNetwork, type VisionTowerConfig, type VisionTowerNetwork } from '../networks/vision-tower.ts';
import type { ArchitectureNames } from './architecture.ts';
import { checkHeads, readLayerCount } from './decoder-settings.ts';

/** A network that turns images into rows. */
export interface VisionArchitecture extends ArchitectureNames {
  /** Reads and checks the configuration. @throws GallopError `invalid-file`, `unsupported` */
  plan(settings: Settings, source: WeightSource): { load(weights: NamedWeights): Promise<VisionTowerNetwork> };
}

const clipNames: TensorNames = {
  classToken: ['embeddings.class_embedding', ''],
  patches: ['embeddings.patch_embedding.weight', ''],
  positions: ['embeddings.position_embedding.weight', ''],
  entryNorm: ['pre_layrnorm.weight', ''],
  attentionNorm: ['encoder.layers.{}.layer_norm1.weight', ''],
  query: ['encoder.layers.{}.self_attn.q_proj.weight', ''],
  key: ['encoder.layers.{}.self_attn.k_proj.weight', ''],
  value: ['encoder.layers.{}.self_attn.v_proj.weight', ''],
  attentionOutput: ['encoder.layers.{}.self_attn.out_proj.weight', ''],
  mlpNorm: ['encoder.layers.{}.layer_norm2.weight', ''],
  up: ['encoder.layers.{}.mlp.fc1.weight', ''],
  down: ['encoder.layers.{}.mlp.fc2.weight', ''],
  finalNorm: ['post_layernorm.weight', ''],
};

/** Where the tower stands in models that hold more than it. */
const towerPrefixes = [
  'vision_model.',
  '',
  'vision_tower.vision_model.',
  'model.vision_tower.vision_model.',
  'model.vision_tower.',
];

const clipNaming: Naming = { names: clipNames, prefixes: towerPrefixes };

const siglipNaming: Naming = {
  prefixes: towerPrefixes,
  names: {
    ...clipNames,
    probe: ['head.probe', ''],
    headQueryKeyValue: ['head.attention.in_proj_weight', ''],
    headOutput: ['head.attention.out_proj.weight', ''],
    headNorm: ['head.layernorm.weight', ''],
    headUp: ['head.mlp.fc1.weight', ''],
    headDown: ['head.mlp.fc2.weight', ''],
  },
};

const vitNaming: Naming = {
  prefixes: ['', 'vit.'],
  names: {
    classToken: ['embeddings.cls_token', ''],
    patches: ['embeddings.patch_embeddings.projection.weight', ''],
    positions: ['embeddings.position_embeddings', ''],
    attentionNorm: ['encoder.layer.{}.layernorm_before.weight', ''],
    query: ['encoder.layer.{}.attention.attention.query.weight', ''],
    key: ['encoder.layer.{}.attention.attention.key.weight', ''],
    value: ['encoder.layer.{}.attention.attention.value.weight', ''],
    attentionOutput: ['encoder.layer.{}.attention.output.dense.weight', ''],
    mlpNorm: ['encoder.layer.{}.layernorm_after.weight', ''],
    up: ['encoder.layer.{}.intermediate.dense.weight', ''],
    down: ['encoder.layer.{}.output.dense.weight', ''],
    finalNorm: ['layernorm.weight', ''],
    pooler: ['pooler.dense.weight', ''],
  },
};

type Kind = Pick<VisionTowerConfig, 'classToken' | 'patchBias' | 'entryNorm' | 'normedOutput' | 'pooling'> & {
  readonly huggingFace: readonly string[];
  readonly naming: Naming;
  readonly normEpsilon: number;
  readonly activation: string;
};

/** Sizes of an image: one number for a square, or [height, width]. */
function readImageSize({ json }: Settings): [height: number, width: number] {
  const size = json.get('image_size');
  const [height, width] = Array.isArray(size) ? size : [size, size];
  const isSize = (value: unknown): value is number =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65536;
  if (isSize(height) && isSize(width)) return [height, width];
  throw new GallopError(
    'invalid-file',
    `expected image_size to be 1…65536 or two of those; config.json says ${JSON.stringify(size)}`,
  );
}

function towerConfig(kind: Kind, settings: Settings): VisionTowerConfig {
  const { json } = settings;
  const hiddenSize = settings.count(['hidden_size', '']);
  const heads = settings.count(['num_attention_heads', '']);
  const [height, width] = readImageSize(settings);
  const patchSize = settings.count(['patch_size', '']);
  const config: VisionTowerConfig = {
    architecture: settings.architecture,
    layerCount: readLayerCount(settings),
    hiddenSize,
    heads,
    keyHeads: heads,
    headSize: settings.count(['head_dim', ''], hiddenSize / heads),
    feedForwardSize: settings.count(['intermediate_size', '']),
    normEpsilon: settings.number(['layer_norm_eps', ''], kind.normEpsilon),
    channels: settings.count(['num_channels', ''], 3),
    height,
    width,
    patchSize,
    classToken: kind.classToken,
    patchBias: kind.patchBias,
    bias: json.boolean('qkv_bias', true),
    entryNorm: kind.entryNorm,
    normedOutput: kind.normedOutput,
    pooling: json.boolean('vision_use_head', true) ? kind.pooling : 'none',
    activation: activationNamed(json.string('hidden_act', kind.activation)),
  };
  checkHeads(config);
  if (patchSize > height || patchSize > width || config.channels > 64)
    throw new GallopError(
      'invalid-file',
      `expected patches within an image of ${height} × ${width}; config.json says ${patchSize}`,
    );
  return config;
}

function architecture(kind: Kind): VisionArchitecture {
  return {
    huggingFace: kind.huggingFace,
    gguf: [],
    naming: kind.naming,
    plan(outer) {
      const settings =
        outer.json.get('vision_config') === undefined ? outer : outer.part('vision_config', { model_type: '' });
      const config = towerConfig(kind, settings);
      return {
        load(weights) {
          const lacksPooler = config.pooling === 'dense' && !weights.has('pooler');
          return loadVisionTowerNetwork(weights, lacksPooler ? { ...config, pooling: 'none' } : config);
        },
      };
    },
  };
}

export const visionArchitectures: readonly VisionArchitecture[] = [
  architecture({
    huggingFace: ['vit'],
    naming: vitNaming,
    classToken: true,
    patchBias: true,
    entryNorm: false,
    normedOutput: true,
    pooling: 'dense',
    normEpsilon: 1e-12,
    activation: 'gelu',
  }),
  architecture({
    huggingFace: ['clip_vision_model', 'clip'],
    naming: clipNaming,
    classToken: true,
    patchBias: false,
    entryNorm: true,
    normedOutput: false,
    pooling: 'norm',
    normEpsilon: 1e-5,
    activation: 'quick_gelu',
  }),
  architecture({
    huggingFace: ['siglip_vision_model', 'siglip'],
    naming: siglipNaming,
    classToken: false,
    patchBias: true,
    entryNorm: false,
    normedOutput: true,
    pooling: 'attention',
    normEpsilon: 1e-6,
    activation: 'gelu_pytorch_tanh',
  }),
];

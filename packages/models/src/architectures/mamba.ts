/** How files describe Mamba and Mamba-2, and where they keep the tensors. */
import { GallopError } from '@gallop/core';
import type { Naming, TensorNames } from '../loading/named-weights.ts';
import type { Settings } from '../loading/settings.ts';
import type { WeightSource } from '../loading/weight-source.ts';
import { loadMamba, type MambaConfig } from '../networks/mamba.ts';
import type { Architecture } from './architecture.ts';
import { isTied, readLayerCount, readVocabSize } from './decoder-settings.ts';

const names: TensorNames = {
  embeddings: ['embeddings.weight', 'token_embd.weight'],
  finalNorm: ['norm_f.weight', 'output_norm.weight'],
  head: ['lm_head.weight', 'output.weight'],
  norm: ['layers.{}.norm.weight', 'blk.{}.attn_norm.weight'],
  input: ['layers.{}.mixer.in_proj.weight', 'blk.{}.ssm_in.weight'],
  convolution: ['layers.{}.mixer.conv1d.weight', 'blk.{}.ssm_conv1d.weight'],
  fromInput: ['layers.{}.mixer.x_proj.weight', 'blk.{}.ssm_x.weight'],
  timeStep: ['layers.{}.mixer.dt_proj.weight', 'blk.{}.ssm_dt.weight'],
  timeStepBias: ['layers.{}.mixer.dt_bias', 'blk.{}.ssm_dt.bias'],
  decay: ['layers.{}.mixer.A_log', 'blk.{}.ssm_a'],
  skip: ['layers.{}.mixer.D', 'blk.{}.ssm_d'],
  gatedNorm: ['layers.{}.mixer.norm.weight', 'blk.{}.ssm_norm.weight'],
  output: ['layers.{}.mixer.out_proj.weight', 'blk.{}.ssm_out.weight'],
};

const naming: Naming = { names, prefixes: ['backbone.', 'model.', ''] };

/** States have no length: a session may go on as long as this. */
const contextLength = 2 ** 20;

function readTimeStepLimits({ json }: Settings): readonly [number, number] | undefined {
  const limits = json.list('time_step_limit');
  if (limits.length === 0) return undefined;
  const [least, most] = limits;
  if (typeof least === 'number' && typeof most === 'number' && limits.length === 2 && least <= most)
    return [least, most];
  throw new GallopError(
    'invalid-file',
    `expected time_step_limit to be two ascending numbers; found ${JSON.stringify(limits)}`,
  );
}

/** Sizes of the mixer. Mamba counts channels, Mamba-2 heads of channels. */
function mixerSizes(
  settings: Settings,
  generation: 1 | 2,
  hiddenSize: number,
): Pick<MambaConfig, 'heads' | 'headSize' | 'groups' | 'timeStepRank'> {
  const channels = settings.count(
    ['intermediate_size', 'ssm.inner_size'],
    settings.count(['expand', ''], 2) * hiddenSize,
  );
  if (generation === 1) {
    const isAutomatic = settings.json.get('time_step_rank') === 'auto';
    const timeStepRank = isAutomatic
      ? Math.ceil(hiddenSize / 16)
      : settings.count(['time_step_rank', 'ssm.time_step_rank']);
    return { heads: channels, headSize: 1, groups: 1, timeStepRank };
  }
  const heads = settings.count(['num_heads', 'ssm.time_step_rank']);
  const headSize = settings.count(['head_dim', ''], channels / heads);
  const groups = settings.count(['n_groups', 'ssm.group_count'], 1);
  if (heads * headSize === channels && heads % groups === 0) return { heads, headSize, groups, timeStepRank: 1 };
  throw new GallopError(
    'invalid-file',
    `expected ${heads} heads of ${headSize} to make ${channels} channels, in groups of equal size; the file says ${groups} groups`,
  );
}

function mambaConfig(settings: Settings, source: WeightSource, generation: 1 | 2): MambaConfig {
  const { json, container } = settings;
  const hiddenSize = settings.count([['hidden_size', 'd_model'], 'embedding_length']);
  const stateSize = settings.count(['state_size', 'ssm.state_size']);
  const kernel = settings.count(['conv_kernel', 'ssm.conv_kernel']);
  if (stateSize > 4096 || kernel > 64)
    throw new GallopError(
      'invalid-file',
      `expected a state of at most 4096 and a kernel of at most 64; found ${stateSize} and ${kernel}`,
    );
  const timeStepLimits = readTimeStepLimits(settings);
  return {
    architecture: settings.architecture,
    generation,
    vocabSize: readVocabSize(settings, source),
    contextLength,
    layerCount: readLayerCount(settings),
    hiddenSize,
    normEpsilon: settings.number([['layer_norm_epsilon', 'rms_norm_eps'], 'attention.layer_norm_rms_epsilon'], 1e-5),
    ...mixerSizes(settings, generation, hiddenSize),
    stateSize,
    kernel,
    ...(timeStepLimits && { timeStepLimits }),
    bias: container === 'gguf' ? 'stored' : json.boolean('use_bias', false),
    convolutionBias: json.boolean('use_conv_bias', true),
    tied: isTied(settings, source, generation === 1),
  };
}

function architecture(name: string, generation: 1 | 2): Architecture {
  return {
    huggingFace: [name],
    gguf: [name],
    naming,
    plan(settings, source) {
      const config = mambaConfig(settings, source, generation);
      return { contextLength, load: (weights) => loadMamba(weights, config) };
    },
  };
}

export const mambaArchitectures: readonly Architecture[] = [architecture('mamba', 1), architecture('mamba2', 2)];

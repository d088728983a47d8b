/** Activation functions by the names that configurations give them. */
import { GallopError } from '@gallop/core';
import type { Recorder, Tensor } from '@gallop/tensor';
import { gelu, relu, silu } from '@gallop/tensor/operations';

export type Activation = 'silu' | 'gelu' | 'gelu-tanh' | 'quick-gelu' | 'relu';

const named: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  quick_gelu: 'quick-gelu',
  relu: 'relu',
};

/** @throws GallopError `unsupported` */
export function activationNamed(name: string): Activation {
  if (Object.hasOwn(named, name)) return named[name]!;
  throw new GallopError(
    'unsupported',
    `expected an activation function of ${Object.keys(named).join(', ')}; the configuration says "${name}"; see docs/adding-a-model.md`,
  );
}

export function activate(t: Recorder, x: Tensor, activation: Activation): Tensor {
  switch (activation) {
    case 'silu':
      return silu(t, x);
    case 'relu':
      return relu(t, x);
    case 'gelu':
      return gelu(t, x, 'exact');
    case 'gelu-tanh':
      return gelu(t, x, 'tanh');
    case 'quick-gelu':
      return gelu(t, x, 'quick');
  }
}

/** The two that gates can use. @throws GallopError `unsupported` */
export function gateNamed(name: string): 'silu' | 'gelu-tanh' {
  const activation = activationNamed(name);
  if (activation === 'silu' || activation === 'gelu-tanh') return activation;
  throw new GallopError(
    'unsupported',
    `expected a gate of silu or gelu-tanh; the configuration says "${name}"; see docs/adding-a-model.md`,
  );
}

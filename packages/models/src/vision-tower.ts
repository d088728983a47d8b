/** Vision towers: images in, rows of features out. */
import { GallopError, requireArgument } from '@gallop/core';
import type { Backend } from '@gallop/tensor';
import { architectureOf } from './architectures/registry.ts';
import { visionArchitectures } from './architectures/vision.ts';
import type { LoadOptions } from './load.ts';
import { checkpointOf, type ModelFiles } from './loading/checkpoint.ts';
import { ModelWeights } from './loading/model-weights.ts';
import { NamedWeights } from './loading/named-weights.ts';
import type { EncodedImages, VisionTowerNetwork } from './networks/vision-tower.ts';

export interface VisionTower {
  readonly layerCount: number;
  readonly hiddenSize: number;
  /** What images must be: normalised pixels [channels, height, width]. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Rows of each image. */
  readonly rows: number;
  /**
   * Encodes images one after the other.
   * @param pixels [images × channels × height × width]
   * @param want hidden states after these layers (0 = what enters the first). Default: none
   * @throws GallopError `invalid-argument`, `out-of-memory`, `invalid-state`
   */
  encode(pixels: Float32Array, want?: { readonly hidden?: readonly number[] }): EncodedImages;
  dispose(): void;
}

/**
 * Loads a ViT, or the vision tower of a CLIP or SigLIP checkpoint. The files may be closed afterwards; the backend stays
 * the caller's.
 * @throws GallopError `unsupported` (architecture or format), `invalid-file`, `out-of-memory`
 */
export async function loadVisionTower(
  files: ModelFiles,
  backend: Backend,
  options: Pick<LoadOptions, 'activations' | 'signal' | 'onProgress'> = {},
): Promise<VisionTower> {
  const { settings, source } = checkpointOf(files);
  const architecture = architectureOf(visionArchitectures, settings);
  const plan = architecture.plan(settings, source);
  const weights = new ModelWeights(source, backend, { ...options, activations: options.activations ?? 'q8' });
  try {
    return new LoadedVisionTower(
      await plan.load(new NamedWeights(weights, settings.container, architecture.naming)),
      backend,
    );
  } catch (error) {
    weights.dispose();
    throw error;
  }
}

export class LoadedVisionTower implements VisionTower {
  readonly layerCount: number;
  readonly hiddenSize: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly #network: VisionTowerNetwork;
  readonly #backend: Backend;
  #disposed = false;

  constructor(network: VisionTowerNetwork, backend: Backend) {
    const { config } = network;
    this.#network = network;
    this.#backend = backend;
    this.layerCount = config.layerCount;
    this.hiddenSize = config.hiddenSize;
    this.channels = config.channels;
    this.height = config.height;
    this.width = config.width;
    this.rows = network.rows;
  }

  encode(pixels: Float32Array, { hidden = [] }: { readonly hidden?: readonly number[] } = {}): EncodedImages {
    if (this.#disposed) throw new GallopError('invalid-state', 'this tower was disposed; load it again');
    const size = this.channels * this.height * this.width;
    const images = pixels.length / size;
    requireArgument(
      Number.isInteger(images) && images >= 1,
      () =>
        `pixels of whole images of ${this.channels} × ${this.height} × ${this.width} expected; received ${pixels.length} numbers; resize and normalise the images first`,
    );
    for (const layer of hidden)
      requireArgument(
        Number.isInteger(layer) && layer >= 0 && layer <= this.layerCount,
        () => `hidden layers are 0…${this.layerCount}; received ${layer}`,
      );
    const each = Array.from({ length: images }, (_, image) =>
      this.#network.encode(this.#backend, pixels.subarray(image * size, (image + 1) * size), hidden),
    );
    const pooled = each.map((image) => image.pooled).filter((row) => row !== undefined);
    return {
      rows: this.rows,
      hidden: new Map(hidden.map((layer) => [layer, joined(each.map((image) => image.hidden.get(layer)!))])),
      lastHidden: joined(each.map((image) => image.lastHidden)),
      ...(pooled.length > 0 && { pooled: joined(pooled) }),
    };
  }

  dispose(): void {
    if (!this.#disposed) this.#network.dispose();
    this.#disposed = true;
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

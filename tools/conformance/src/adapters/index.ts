/**
 * The adapter files of each area of the goldens. They are imported when a case of the area turns up, so that running one
 * folder loads only the packages it needs. An area without adapters is listed with none: its cases are "unknown".
 */
const none = async (): Promise<void> => {};

/** Imports an area's adapters. */
export const areaModules: Readonly<Record<string, () => Promise<unknown>>> = {
  diffusion: () =>
    Promise.all([
      import('./diffusion-dream.ts'),
      import('./diffusion-loops.ts'),
      import('./diffusion-parallelbench.ts'),
      import('./diffusion-rules.ts'),
      import('./diffusion-sdar.ts'),
      import('./diffusion-training.ts'),
    ]),
  drafters: none,
  formats: () => Promise.all([import('./formats-gguf.ts'), import('./formats-safetensors.ts')]),
  'kv-cache': none,
  models: () =>
    Promise.all([
      import('./sampling.ts'),
      import('./models-real.ts'),
      import('./models.ts'),
      import('./models-rope.ts'),
      import('./models-t5.ts'),
      import('./models-vision.ts'),
    ]),
  multimodal: none,
  quantize: none,
  speculative: () =>
    Promise.all([
      import('./random.ts'),
      import('./speculative-decoding.ts'),
      import('./speculative-drafters.ts'),
      import('./speculative-models.ts'),
      import('./speculative-report.ts'),
      import('./speculative-trees.ts'),
      import('./speculative-verify.ts'),
    ]),
  tensor: () =>
    Promise.all([
      import('./tensor-elementwise.ts'),
      import('./tensor-layers.ts'),
      import('./tensor-models.ts'),
      import('./tensor-optimiser.ts'),
    ]),
  tokenizer: () => import('./tokenizer.ts'),
  train: none,
  visual: none,
};

const loading = new Map<string, Promise<unknown>>();

/** Imports an area's adapters once. */
export function loadArea(area: string): Promise<unknown> {
  let load = loading.get(area);
  if (load === undefined) {
    load = areaModules[area]();
    loading.set(area, load);
  }
  return load;
}

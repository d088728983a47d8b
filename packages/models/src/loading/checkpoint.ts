/** A checkpoint as networks load it: what it says about itself, and its tensors. */
import type { GgufFile, HuggingFaceModel } from '@gallop/formats';
import { JsonView } from '@gallop/formats';
import { parseConfig, Settings } from './settings.ts';
import { ggufSource, safetensorsSource, type WeightSource } from './weight-source.ts';

/** What models are loaded from: an open GGUF file, or the files of a Hugging Face checkpoint. */
export type ModelFiles = GgufFile | HuggingFaceModel;

export interface Checkpoint {
  readonly settings: Settings;
  readonly source: WeightSource;
}

/** @throws GallopError `invalid-file` when it does not say what architecture it is */
export function checkpointOf(files: ModelFiles): Checkpoint {
  if ('metadata' in files) {
    const { metadata } = files;
    const architecture = metadata.string('general.architecture');
    return { settings: new Settings(architecture, new JsonView({}, 'GGUF'), metadata), source: ggufSource(files) };
  }
  const json = parseConfig(files.config);
  return { settings: new Settings(json.string('model_type'), json), source: safetensorsSource(files.weights) };
}

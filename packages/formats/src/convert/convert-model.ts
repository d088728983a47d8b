/** Converts a model on disk into a quantised GGUF file in Node: the work behind `gallop convert`. */
import { stat } from 'node:fs/promises';
import { GallopError } from '@gallop/core';
import { ggufPartNames, openSplitGguf } from '../gguf/split.ts';
import type { GgufModel } from '../gguf/write.ts';
import { encodeGguf } from '../gguf/write.ts';
import { openFile } from '../source/file-source.ts';
import { writeChunks } from '../source/write-file.ts';
import { huggingFaceToGguf } from './hugging-face-model.ts';
import { openHuggingFaceFolder } from './open-hugging-face-folder.ts';
import { ggufRecipe } from './recipe.ts';
import { type ConvertOptions, requantizeGguf } from './requantize-gguf.ts';

/**
 * Writes `target`, complete or not at all.
 * @param source a GGUF file (for a model in parts, any of them) or a folder with a Hugging Face checkpoint.
 * @param recipe a name of `ggufRecipes`, for instance "Q4_K_M".
 * @throws GallopError `not-found`, `unsupported`, `invalid-file`, `storage-failed`; the signal's reason.
 */
export async function convertModel(
  source: string,
  target: string,
  recipe: string,
  options: ConvertOptions = {},
): Promise<void> {
  const chosen = ggufRecipe(recipe);
  const write = (model: GgufModel): Promise<void> => writeChunks(target, encodeGguf(model));
  if (await isFolder(source)) {
    const model = await openHuggingFaceFolder(source);
    using _weights = model.weights;
    await write(huggingFaceToGguf(model, chosen, options));
  } else {
    using file = await openSplitGguf(ggufPartNames(source).map(openFile));
    await write(requantizeGguf(file, chosen, options));
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new GallopError('not-found', `Expected a model at ${path}; there is none. Check the path.`, { cause });
  }
}

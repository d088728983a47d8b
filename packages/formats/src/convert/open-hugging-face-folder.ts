/** Opens a folder with a Hugging Face checkpoint in Node. */
import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { GallopError } from '@gallop/core';
import { openSafetensors, openShardedSafetensors } from '../safetensors/read.ts';
import { openFile } from '../source/file-source.ts';
import type { HuggingFaceModel } from './hugging-face-model.ts';

/**
 * The model in a folder with config.json, model.safetensors (or its parts and index) and tokenizer files.
 * @throws GallopError `not-found` naming the file that is missing.
 */
export async function openHuggingFaceFolder(folder: string): Promise<HuggingFaceModel> {
  const text = (name: string): Promise<string | undefined> =>
    readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
  const config = await text('config.json');
  if (config === undefined) {
    throw new GallopError(
      'not-found',
      `Expected a model with config.json in ${folder}; there is none. Check the path.`,
    );
  }
  const index = await text('model.safetensors.index.json');
  const weights =
    index === undefined
      ? await openSafetensors(openFile(join(folder, 'model.safetensors')))
      : await openShardedSafetensors(index, (fileName) => openFile(join(folder, fileName)));
  return {
    name: basename(resolve(folder)),
    config,
    weights,
    tokenizer: await text('tokenizer.json'),
    tokenizerConfig: await text('tokenizer_config.json'),
    chatTemplate: await text('chat_template.jinja'),
  };
}

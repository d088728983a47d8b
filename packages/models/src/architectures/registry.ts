/** All architectures of this package, and the search for the one that a checkpoint needs. */
import { GallopError } from '@gallop/core';
import type { Settings } from '../loading/settings.ts';
import type { Architecture, ArchitectureNames } from './architecture.ts';
import { gemmaArchitectures } from './gemma.ts';
import { gptArchitectures } from './gpt.ts';
import { llamaArchitectures } from './llama.ts';
import { llavaArchitecture } from './llava.ts';
import { mambaArchitectures } from './mamba.ts';
import { encoderDecoderArchitectures } from './t5.ts';
import { visionArchitectures } from './vision.ts';

/** The language models that this package can run. Pass a longer list to `loadLanguageModel` to add your own. */
export const architectures: readonly Architecture[] = [
  ...llamaArchitectures,
  ...gemmaArchitectures,
  ...gptArchitectures,
  ...mambaArchitectures,
];

/** Which function loads what. */
const loaders: Readonly<Record<string, readonly ArchitectureNames[]>> = {
  loadLanguageModel: architectures,
  loadEncoderDecoder: encoderDecoderArchitectures,
  loadVisionTower: visionArchitectures,
  loadVisionLanguageModel: [llavaArchitecture],
};

function namesIn<Kind extends ArchitectureNames>(list: readonly Kind[], container: Settings['container']): string[] {
  return list.flatMap((architecture) => architecture[container]);
}

/**
 * The first of `list` that answers to the checkpoint's name.
 * @throws GallopError `unsupported` naming it, the nearest ones of the list, and how to add one
 */
export function architectureOf<Kind extends ArchitectureNames>(list: readonly Kind[], settings: Settings): Kind {
  const { architecture: name, container } = settings;
  const found = list.find((architecture) => architecture[container].includes(name));
  if (found) return found;
  for (const [loader, others] of Object.entries(loaders))
    if (others.some((architecture) => architecture[container].includes(name)))
      throw new GallopError(
        'unsupported',
        `a model of architecture "${name}" is loaded by ${loader}; use that instead`,
      );
  const known = [...new Set(namesIn(list, container))];
  throw new GallopError(
    'unsupported',
    `expected an architecture that can be run; the file says "${name}"; nearest are ${nearest(name, known).join(', ')}, of ${known.length} in all (${known.join(', ')}); docs/adding-a-model.md says how to add one`,
  );
}

/** The three names that are closest: first those of the same family, then by edits. */
function nearest(name: string, known: readonly string[]): string[] {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const family = (text: string): string => /^[a-z]+/.exec(plain(text))?.[0] ?? '';
  const distance = (other: string): number =>
    edits(plain(name), plain(other)) - (family(name) === family(other) ? 100 : 0);
  return [...known].sort((a, b) => distance(a) - distance(b)).slice(0, 3);
}

/** Levenshtein distance. */
function edits(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= Math.min(from.length, 64); i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++)
      row.push(Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)));
    previous = row;
  }
  return previous[to.length]!;
}

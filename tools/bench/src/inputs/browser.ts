/** Finds a Chromium-based browser: named by CHROME_PATH, or on the path. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { GallopError } from '@gallop/core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'] as const;

/** @throws GallopError `not-found` without one */
export const findBrowser = (environment: NodeJS.ProcessEnv): string => {
  const named = environment.CHROME_PATH;
  const folders = (environment.PATH ?? '').split(path.delimiter);
  const names: readonly string[] = named ? [named] : NAMES;
  const places = names.flatMap((name) =>
    name.includes(path.sep) ? [name] : folders.map((folder) => path.join(folder, name)),
  );
  const found = places.find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new GallopError(
    'not-found',
    `Expected a browser (${names.join(', ')}); received none on the path; install Chromium or name one by CHROME_PATH.`,
  );
};

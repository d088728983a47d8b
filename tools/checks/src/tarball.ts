/** Packs a package as for publishing and judges the tarball: publint's findings, and what must not be in it. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { runCommand } from './command.ts';
import type { Manifest, WorkspacePackage } from './workspace.ts';

/** A packed package. */
export interface Tarball {
  readonly file: string;
  /** package.json as published: without the workspace's source condition, with real version ranges. */
  readonly manifest: Manifest;
  /** Paths inside the package. */
  readonly files: readonly string[];
  /** Text of README.md, '' without one. */
  readonly readme: string;
}

const blockSize = 512;

/** Paths and contents of the regular files of a tar archive (ustar, as npm packages are), without `package/`. */
const readTar = (archive: Buffer): Map<string, Buffer> => {
  const files = new Map<string, Buffer>();
  for (let offset = 0; offset + blockSize <= archive.length; ) {
    const field = (start: number, length: number): string =>
      archive.toString('utf8', offset + start, offset + start + length).replace(/\0.*$/s, '');
    const name = [field(345, 155), field(0, 100)].filter((part) => part !== '').join('/');
    if (name === '') break;
    const size = Number.parseInt(field(124, 12), 8);
    if (/^0?$/.test(field(156, 1))) {
      const content = archive.subarray(offset + blockSize, offset + blockSize + size);
      files.set(name.replace(/^[^/]+\//, ''), content);
    }
    offset += blockSize + Math.ceil(size / blockSize) * blockSize;
  }
  return files;
};

/** Packs the package into an empty folder. */
export function packPackage(found: WorkspacePackage, folder: string): Tarball {
  const before = new Set(readdirSync(folder));
  runCommand('pnpm', ['pack', '--pack-destination', folder], found.folder);
  const file = readdirSync(folder).find((name) => name.endsWith('.tgz') && !before.has(name));
  if (file === undefined) throw new Error(`pnpm pack wrote no tarball for ${found.manifest.name}`);
  const contents = readTar(gunzipSync(readFileSync(path.join(folder, file))));
  const manifest = JSON.parse(String(contents.get('package.json'))) as Manifest;
  const readme = contents.get('README.md')?.toString('utf8') ?? '';
  return { file: path.join(folder, file), manifest, files: [...contents.keys()], readme };
}

/** What is wrong with the contents of a published package, apart from what publint looks at. */
export function judgeContents({ manifest, files }: Pick<Tarball, 'manifest' | 'files'>): string[] {
  const problems = files
    .filter((file) => /\.test\.|\.tsbuildinfo$/.test(file))
    .map((file) => `publishes ${file}; leave it out with "files" in package.json`);
  for (const required of ['README.md', 'LICENSE']) {
    if (!files.includes(required)) problems.push(`publishes no ${required}`);
  }
  if (JSON.stringify(manifest).includes('@gallop/source')) problems.push('publishes the condition @gallop/source');
  if (JSON.stringify(manifest).includes('workspace:')) problems.push('publishes a workspace: version');
  return problems;
}

/** Problems of one tarball, each beginning with the package's name. */
export async function judgeTarball(tarball: Tarball): Promise<string[]> {
  const bytes = readFileSync(tarball.file);
  const archive = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: archive }, strict: true });
  const lint = messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`);
  return [...judgeContents(tarball), ...lint].map((problem) => `${tarball.manifest.name} ${problem}`);
}

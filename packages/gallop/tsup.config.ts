import { library } from '@gallop/tsup-config';

export default library({
  entry: {
    index: 'src/index.ts',
    'platform.node': 'src/load/platform.node.ts',
    'platform.browser': 'src/load/platform.browser.ts',
  },
  external: [/^node:/, /^@gallop\//, '#platform'],
});

import { library } from '@gallop/tsup-config';

export default library({
  entry: {
    index: 'src/index.ts',
    'platform.node': 'src/platform.node.ts',
    'platform.browser': 'src/platform.browser.ts',
  },
  external: [/^node:/, /^@gallop\//, '#platform'],
});

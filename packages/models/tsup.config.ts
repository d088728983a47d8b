import { library } from '@gallop/tsup-config';

export default library({
  entry: { index: 'src/index.ts', 'blocks/index': 'src/blocks/index.ts', 'testing/index': 'src/testing/index.ts' },
});

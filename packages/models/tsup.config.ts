import { library } from '@gallop/tsup-config';

export default library({
  entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' },
});

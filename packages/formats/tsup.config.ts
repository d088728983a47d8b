import { library } from '@gallop/tsup-config';

export default library({
  entry: ['src/index.ts', 'src/node.ts'],
  external: [/^node:/, /^@gallop\//, '@huggingface/hub'],
});

import { library } from '@gallop/tsup-config';

export default library({ entry: ['src/index.ts', 'src/native.ts', 'src/wasm.ts'], platform: 'node' });

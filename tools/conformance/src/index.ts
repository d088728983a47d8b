export type { GoldenCase, Tolerance } from './case-file.ts';
export { modelsFolder } from './real-file.ts';
export { type Adapter, type CaseContext, type CaseOutputs, register, SkipCase, type TensorValue } from './registry.ts';
export { type Outcome, runFolders, type Totals } from './runner.ts';

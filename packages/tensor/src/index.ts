export type { Backend, CommandList, Memory } from './backend.ts';
export { type MapFunction, type OperationName, opcodes } from './opcodes.ts';
export {
  type CacheLayer,
  type DistanceBias,
  type GateActivation,
  type Passage,
  Recorder,
  type Visibility,
} from './recorder.ts';
export { fromHalf, toHalf } from './reference/half-floats.ts';
export { createReferenceBackend } from './reference/reference-backend.ts';
export { activationRowBytes, type DType, Tensor } from './tensor.ts';
export {
  fileRowBytes,
  isWeightFormat,
  packWeight,
  type ReadRows,
  Weight,
  type WeightFormat,
  weightBytes,
  weightFormats,
} from './weight.ts';

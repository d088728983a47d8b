export { dequantize, rowBytes } from './blocks/dequantize.ts';
export { activationTypeOf, quantizedDot } from './blocks/dot.ts';
export { canQuantize, quantize } from './blocks/quantize.ts';
export { type HuggingFaceModel, huggingFaceToGguf } from './convert/hugging-face-model.ts';
export { JsonView } from './convert/json-view.ts';
export { type GgufRecipe, ggufRecipe, ggufRecipes } from './convert/recipe.ts';
export { type ConvertOptions, requantizeGguf } from './convert/requantize-gguf.ts';
export {
  type GgmlType,
  type GgmlTypeName,
  ggmlByteLength,
  ggmlType,
  ggmlTypeById,
  ggmlTypes,
} from './gguf/ggml-types.ts';
export {
  type GgufElementType,
  GgufMetadata,
  type GgufNumbers,
  type GgufNumberType,
  type GgufValue,
} from './gguf/metadata.ts';
export { type GgufFile, type GgufTensor, openGguf } from './gguf/read.ts';
export { ggufPartNames, openSplitGguf, splitGguf } from './gguf/split.ts';
export { type StringTable, stringTableOf } from './gguf/string-table.ts';
export { encodeGguf, type GgufModel, type GgufTensorInput, ggufStrings } from './gguf/write.ts';
export {
  decodeValues,
  type SafetensorsDtype,
  safetensorsDtypes,
  type TypedArray,
  toFloat32,
} from './safetensors/dtypes.ts';
export {
  openSafetensors,
  openShardedSafetensors,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './safetensors/read.ts';
export {
  encodeSafetensors,
  type SafetensorsPart,
  type SafetensorsTensorInput,
  splitSafetensors,
} from './safetensors/write.ts';
export { type ByteSource, blobSource, memorySource } from './source/byte-source.ts';
export { collectChunks, type TensorData } from './source/chunks.ts';
export { type HttpSourceOptions, openHttp } from './source/http-source.ts';
export type { ReadOptions, StoredTensor, TensorStore } from './source/tensor-store.ts';
export { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from './values/float-formats.ts';

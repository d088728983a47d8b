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
export { type GgufFile, type GgufTensor, openGguf, type ReadOptions } from './gguf/read.ts';
export { ggufPartNames, openSplitGguf } from './gguf/split.ts';
export { type StringTable, stringTableOf } from './gguf/string-table.ts';
export { type ByteSource, blobSource, memorySource } from './source/byte-source.ts';
export { type HttpSourceOptions, openHttp } from './source/http-source.ts';

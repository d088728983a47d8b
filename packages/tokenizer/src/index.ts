export type { ChatMessage, ChatTemplateOptions } from './chat/chat-template.ts';
export { renderChat as renderChatTemplate } from './chat/chat-template.ts';
export type { DecodeStream } from './decode-stream.ts';
export type { Encoding } from './encoding.ts';
export type { MetadataSource } from './gguf/metadata.ts';
export { tokenizerFromGguf } from './gguf/tokenizer-from-gguf.ts';
export {
  decoderFromComponent,
  normalizerFromComponent,
  preTokenizerFromComponent,
} from './json/components.ts';
export { type JsonInput, tokenizerFromJson } from './json/tokenizer-from-json.ts';
export type { PaddingOptions } from './padding.ts';
export {
  type DecodeOptions,
  type DetailedEncodeOptions,
  type EncodeOptions,
  type TextInput,
  Tokenizer,
} from './tokenizer.ts';
export type { SpecialTokens } from './tokenizer-parts.ts';
export type { TruncationOptions } from './truncation.ts';
export type { StringTable } from './vocabulary/string-table.ts';

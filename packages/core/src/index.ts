export { type ErrorCode, GallopError, requireArgument } from './errors.ts';
export type {
  AttentionPattern,
  Capabilities,
  ForwardRequest,
  ForwardResult,
  LanguageModel,
  Session,
  SpecialTokens,
  StateBytes,
  Wanted,
} from './language-model.ts';

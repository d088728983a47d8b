/** What a tokenizer is made of; built from tokenizer.json or from GGUF metadata. */
import type { AddedToken } from './added-tokens/added-token.ts';
import type { OverlapRule } from './added-tokens/token-finder.ts';
import type { Decoder } from './decoders/decoder.ts';
import type { TokenModel } from './models/token-model.ts';
import type { Normalizer } from './normalizers/normalizer.ts';
import type { PaddingOptions } from './padding.ts';
import type { PostProcessor } from './post-processors/post-processor.ts';
import type { PreTokenizer } from './pre-tokenizers/pre-tokenizer.ts';
import type { TruncationOptions } from './truncation.ts';

/** Ids of the tokens with a role; undefined where a tokenizer has none. */
export interface SpecialTokens {
  readonly beginningOfText?: number;
  readonly endOfText?: number;
  readonly unknown?: number;
  readonly padding?: number;
  readonly separator?: number;
  readonly mask?: number;
}

/** The stages of a tokenizer. */
export interface TokenizerParts {
  readonly model: TokenModel;
  readonly addedTokens: readonly AddedToken[];
  readonly overlapRule: OverlapRule;
  readonly normalizer: Normalizer | undefined;
  readonly preTokenizer: PreTokenizer | undefined;
  readonly postProcessor: PostProcessor | undefined;
  /** Without one, tokens are joined by single spaces. */
  readonly decoder: Decoder | undefined;
  readonly truncation: TruncationOptions | undefined;
  readonly padding: PaddingOptions | undefined;
  readonly specialTokens: SpecialTokens;
  /** Tokens after which generation ends. */
  readonly endOfGeneration: ReadonlySet<number>;
  /** Chat templates by name; 'default' is the one used when none is named. */
  readonly chatTemplates: ReadonlyMap<string, string>;
}

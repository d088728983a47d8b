/** TemplateProcessing: special tokens and texts in the order that a template says, one template for a text and one for a pair. */
import { GallopError } from '@gallop/core';
import { Encoding } from '../encoding.ts';
import type { PostProcessor } from './post-processor.ts';

/** One part of a template: special tokens, or the first (0) or second (1) text. */
export type TemplatePart =
  | {
      readonly kind: 'special';
      readonly ids: readonly number[];
      readonly tokens: readonly string[];
      readonly typeId: number;
    }
  | { readonly kind: 'text'; readonly text: 0 | 1; readonly typeId: number };

export interface Template {
  readonly single: readonly TemplatePart[];
  readonly pair: readonly TemplatePart[];
}

function specialCount(parts: readonly TemplatePart[]): number {
  return parts.reduce((sum, part) => sum + (part.kind === 'special' ? part.ids.length : 0), 0);
}

/** Type ids of a template reach the main encodings only; their overflowing parts keep those of their text. */
function apply(parts: readonly TemplatePart[], texts: readonly Encoding[], addSpecialTokens: boolean): Encoding[] {
  return parts.flatMap((part) => {
    if (part.kind === 'text') return texts[part.text]?.withType(part.typeId) ?? [];
    return addSpecialTokens ? Encoding.special(part.ids, part.tokens, part.typeId) : [];
  });
}

export function templateProcessor(template: Template): PostProcessor {
  return {
    addedTokens: (isPair) => specialCount(isPair ? template.pair : template.single),
    process(encodings, addSpecialTokens) {
      if (encodings.length > 2) {
        throw new GallopError(
          'unsupported',
          `Expected one or two encodings before TemplateProcessing; a post-processor in front of it made ${encodings.length}. Use one template.`,
        );
      }
      return apply(encodings.length === 2 ? template.pair : template.single, encodings, addSpecialTokens);
    },
  };
}

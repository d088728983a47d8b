/**
 * BertProcessing, [CLS] A [SEP] and [CLS] A [SEP] B [SEP] with type 1 for B's separator, and RobertaProcessing,
 * <s> A </s> and <s> A </s></s> B </s> with type 0 throughout. Both wrap overflowing parts too.
 */
import { Encoding } from '../encoding.ts';
import type { PostProcessor } from './post-processor.ts';
import { trimOffsets } from './trim-offsets.ts';

/** A special token. */
export interface NamedToken {
  readonly token: string;
  readonly id: number;
}

function wrap(text: Encoding, before: NamedToken | undefined, after: NamedToken, typeId: number): Encoding {
  const special = ({ id, token }: NamedToken): Encoding => Encoding.special([id], [token], typeId);
  const inner = text.with({ specialTokensMask: new Uint8Array(text.length) }, []);
  const parts = text.overflowing.map((part) => wrap(part, before, after, typeId));
  return Encoding.join([...(before ? [special(before)] : []), inner, special(after)], parts);
}

export function bertProcessor(classify: NamedToken, separator: NamedToken): PostProcessor {
  return {
    addedTokens: (isPair) => (isPair ? 3 : 2),
    process(encodings, addSpecialTokens) {
      if (!addSpecialTokens) return encodings;
      return encodings.map((text, index) =>
        index === 0 ? wrap(text, classify, separator, 0) : wrap(text, undefined, separator, 1),
      );
    },
  };
}

function withPartTypes(text: Encoding, typeId: number): Encoding {
  return text.with(
    {},
    text.overflowing.map((part) => part.withType(typeId)),
  );
}

/** @param trims whether offsets lose white space; `addPrefixSpace` as `trimOffsets` takes it. */
export function robertaProcessor(
  open: NamedToken,
  close: NamedToken,
  trims: boolean,
  addPrefixSpace: boolean,
): PostProcessor {
  const trim = trims ? trimOffsets(addPrefixSpace) : (text: Encoding): Encoding => text;
  return {
    addedTokens: (isPair) => (isPair ? 4 : 2),
    process(encodings, addSpecialTokens) {
      const texts = encodings.map((text) => trim(text).withType(0));
      if (!addSpecialTokens) return texts;
      return texts.map((text, index) => wrap(withPartTypes(text, 0), index === 0 ? open : close, close, 0));
    },
  };
}

/** ByteLevel as a post-processor: nothing but the trimming of offsets. */
export function byteLevelProcessor(trims: boolean, addPrefixSpace: boolean): PostProcessor {
  const trim = trimOffsets(addPrefixSpace);
  return { addedTokens: () => 0, process: (encodings) => (trims ? encodings.map(trim) : encodings) };
}

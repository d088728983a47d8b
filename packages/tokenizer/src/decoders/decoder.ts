/**
 * The contract of decoders, which turn token texts back into text. A decoder maps a list of strings to a list of strings;
 * the joined list is the text.
 */

/** One step of decoding. */
export interface Decoder {
  /** @param atStart false if tokens came before these, so that nothing that belongs to the start of a text applies. */
  decode(tokens: readonly string[], atStart: boolean): string[];
  /** True if the result is a single string. */
  readonly fuses: boolean;
  /** The decoder to use behind one that fuses, where the one token is the whole text; by default the same. */
  afterFuse?(): Decoder;
}

/** Decoders one after the other. */
export function sequence(parts: readonly Decoder[], fused = false): Decoder {
  const decoders: Decoder[] = [];
  let joined = fused;
  for (const part of parts) {
    decoders.push((joined && part.afterFuse?.()) || part);
    joined ||= part.fuses;
  }
  return {
    decode: (tokens, atStart) => decoders.reduce((value, decoder) => decoder.decode(value, atStart), [...tokens]),
    fuses: joined,
    afterFuse: () => sequence(parts, true),
  };
}

/** A decoder that treats each token by itself. */
export function eachToken(map: (token: string, index: number, count: number, atStart: boolean) => string): Decoder {
  return {
    decode: (tokens, atStart) => tokens.map((token, index) => map(token, index, tokens.length, atStart)),
    fuses: false,
  };
}

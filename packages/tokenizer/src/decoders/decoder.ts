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
}

/** Decoders one after the other. */
export function sequence(decoders: readonly Decoder[]): Decoder {
  return {
    decode: (tokens, atStart) => decoders.reduce((value, decoder) => decoder.decode(value, atStart), [...tokens]),
    fuses: decoders.some((decoder) => decoder.fuses),
  };
}

/** A decoder that treats each token by itself. */
export function eachToken(map: (token: string, index: number, count: number, atStart: boolean) => string): Decoder {
  return {
    decode: (tokens, atStart) => tokens.map((token, index) => map(token, index, tokens.length, atStart)),
    fuses: false,
  };
}

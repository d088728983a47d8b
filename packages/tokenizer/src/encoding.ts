/** The result of encoding: token ids with everything that is known about each token. */

/** The arrays that make an encoding; all of one length. */
export interface EncodingColumns {
  ids: Int32Array;
  typeIds: Uint8Array;
  tokens: readonly string[];
  starts: Int32Array;
  ends: Int32Array;
  specialTokensMask: Uint8Array;
  attentionMask: Uint8Array;
}

function joined<Column extends Int32Array | Uint8Array>(
  type: new (length: number) => Column,
  parts: readonly Encoding[],
  column: (part: Encoding) => Column,
): Column {
  const result = new type(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(column(part), at);
    at += part.length;
  }
  return result;
}

/** Tokens of one text or of a pair. */
export class Encoding {
  readonly ids: Int32Array;
  /** 0 for the first text and 1 for the second, unless the tokenizer says otherwise. */
  readonly typeIds: Uint8Array;
  /** Texts of the tokens; an added token shows the text that it matched. */
  readonly tokens: readonly string[];
  /** Where each token starts in its text, in Unicode code points. 0 for tokens that stand for no text. */
  readonly starts: Int32Array;
  /** Where each token ends, exclusive. */
  readonly ends: Int32Array;
  /** 1 for tokens that the post-processor or padding put in. */
  readonly specialTokensMask: Uint8Array;
  /** 0 for padding. */
  readonly attentionMask: Uint8Array;
  /** The parts that truncation cut off. */
  readonly overflowing: readonly Encoding[];

  constructor(columns: EncodingColumns, overflowing: readonly Encoding[] = []) {
    this.ids = columns.ids;
    this.typeIds = columns.typeIds;
    this.tokens = columns.tokens;
    this.starts = columns.starts;
    this.ends = columns.ends;
    this.specialTokensMask = columns.specialTokensMask;
    this.attentionMask = columns.attentionMask;
    this.overflowing = overflowing;
  }

  get length(): number {
    return this.ids.length;
  }

  /** Start and end of each token. */
  get offsets(): [start: number, end: number][] {
    return Array.from(this.starts, (start, index) => [start, this.ends[index]]);
  }

  /** Tokens [from, to), without overflow. */
  slice(from: number, to: number): Encoding {
    return new Encoding({
      ids: this.ids.slice(from, to),
      typeIds: this.typeIds.slice(from, to),
      tokens: this.tokens.slice(from, to),
      starts: this.starts.slice(from, to),
      ends: this.ends.slice(from, to),
      specialTokensMask: this.specialTokensMask.slice(from, to),
      attentionMask: this.attentionMask.slice(from, to),
    });
  }

  with(changes: Partial<EncodingColumns>, overflowing: readonly Encoding[] = this.overflowing): Encoding {
    return new Encoding({ ...this, ...changes }, overflowing);
  }

  /** The same tokens under one type id; overflowing parts keep theirs. */
  withType(typeId: number): Encoding {
    return this.with({ typeIds: new Uint8Array(this.length).fill(typeId) });
  }

  /**
   * Encodings one after the other. Of their overflowing parts every combination is kept: for each part of what comes
   * first, that part with the second encoding and then with each part of it; last the first encoding with each part of
   * the second.
   */
  static merge(encodings: readonly Encoding[]): Encoding {
    if (encodings.every((encoding) => encoding.overflowing.length === 0)) return Encoding.join(encodings);
    return encodings.reduce((first, second) => {
      const overflowing = first.overflowing.flatMap((part) => [
        Encoding.join([part, second]),
        ...second.overflowing.map((other) => Encoding.join([part, other])),
      ]);
      for (const other of second.overflowing) overflowing.push(Encoding.join([first, other]));
      return Encoding.join([first, second], overflowing);
    });
  }

  /** Encodings one after the other, without their overflow. */
  static join(parts: readonly Encoding[], overflowing: readonly Encoding[] = []): Encoding {
    return new Encoding(
      {
        ids: joined(Int32Array, parts, (part) => part.ids),
        typeIds: joined(Uint8Array, parts, (part) => part.typeIds),
        tokens: parts.flatMap((part) => part.tokens),
        starts: joined(Int32Array, parts, (part) => part.starts),
        ends: joined(Int32Array, parts, (part) => part.ends),
        specialTokensMask: joined(Uint8Array, parts, (part) => part.specialTokensMask),
        attentionMask: joined(Uint8Array, parts, (part) => part.attentionMask),
      },
      overflowing,
    );
  }

  /** Tokens that stand for no text. */
  static special(ids: readonly number[], tokens: readonly string[], typeId: number, attention = 1): Encoding {
    const count = ids.length;
    return new Encoding({
      ids: Int32Array.from(ids),
      typeIds: new Uint8Array(count).fill(typeId),
      tokens,
      starts: new Int32Array(count),
      ends: new Int32Array(count),
      specialTokensMask: new Uint8Array(count).fill(1),
      attentionMask: new Uint8Array(count).fill(attention),
    });
  }
}

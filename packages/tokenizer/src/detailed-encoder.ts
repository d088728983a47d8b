/** The plain way from text to tokens, with the text and the offsets of each; the reference for the fast way. */
import type { TokenFinder } from './added-tokens/token-finder.ts';
import { Encoding } from './encoding.ts';
import { TokenSpans } from './models/token-model.ts';
import { AlignedText } from './text/aligned-text.ts';
import { codePointsToString, toCodePoints } from './text/code-points.ts';
import type { TokenizerParts } from './tokenizer-parts.ts';

/** Finders of added tokens in raw and in normalized text. */
export interface Finders {
  readonly raw: TokenFinder;
  readonly normalized: TokenFinder;
}

/** Collects the columns of an encoding. */
class Columns {
  readonly ids: number[] = [];
  readonly tokens: string[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  push(id: number, token: string, start: number, end: number): void {
    this.ids.push(id);
    this.tokens.push(token);
    this.starts.push(start);
    this.ends.push(end);
  }

  build(typeId: number): Encoding {
    const count = this.ids.length;
    return new Encoding({
      ids: Int32Array.from(this.ids),
      typeIds: new Uint8Array(count).fill(typeId),
      tokens: this.tokens,
      starts: Int32Array.from(this.starts),
      ends: Int32Array.from(this.ends),
      specialTokensMask: new Uint8Array(count),
      attentionMask: new Uint8Array(count).fill(1),
    });
  }
}

/** Encodes with offsets. */
export class DetailedEncoder {
  readonly #parts: TokenizerParts;
  readonly #spans: TokenSpans = new TokenSpans();

  constructor(parts: TokenizerParts) {
    this.#parts = parts;
  }

  /** Tokens of one text, without special tokens around it. */
  encode(text: string, typeId: number, finders: Finders): Encoding {
    const columns = new Columns();
    let base = 0;
    let done = 0;
    for (const { start, end, token } of finders.raw.segments(text)) {
      if (start < done) base -= toCodePoints(text.slice(start, done)).length;
      const source = text.slice(start, end);
      const aligned = AlignedText.of(source, base);
      base += aligned.length;
      done = end;
      if (token) columns.push(token.id, source, aligned.starts[0], base);
      else this.#encodeBetween(aligned, finders.normalized, columns);
    }
    return columns.build(typeId);
  }

  #encodeBetween(raw: AlignedText, finder: TokenFinder, columns: Columns): void {
    const text = this.#parts.normalizer?.normalize(raw) ?? raw;
    let at = 0;
    let done = 0;
    const content = text.toString();
    for (const { start, end, token } of finder.segments(content)) {
      const source = content.slice(start, end);
      if (start < done) at -= toCodePoints(content.slice(start, done)).length;
      done = end;
      const from = at;
      for (let unit = 0; unit < source.length; at++) unit += text.codes[at] > 0xffff ? 2 : 1;
      if (token) columns.push(token.id, source, text.starts[from], text.ends[at - 1]);
      else this.#encodePlain(text.slice(from, at), columns);
    }
  }

  #encodePlain(text: AlignedText, columns: Columns): void {
    const { model, preTokenizer } = this.#parts;
    const spans = this.#spans;
    for (const piece of preTokenizer ? preTokenizer.split(text) : [text]) {
      if (piece.length === 0) continue;
      spans.count = 0;
      model.encode(piece.codes, 0, piece.length, spans);
      for (let index = 0; index < spans.count; index++) {
        const from = spans.starts[index];
        const to = spans.ends[index];
        const id = spans.ids[index];
        const own = model.showsUnknownText && id === model.unknownId;
        const token = own ? codePointsToString(piece.codes, from, to) : (model.vocabulary.text(id) ?? '');
        columns.push(id, token, piece.starts[from], piece.ends[to - 1]);
      }
    }
  }
}

/**
 * Offsets of rewritten text. A rewriting is a list of new characters, each with a change: 0 takes the place of the next
 * source character, -n of the next one and swallows n more after it, and anything positive is extra and shares the offsets
 * of the source character used last.
 */
import { type AlignedText, AlignedTextBuilder } from './aligned-text.ts';

/** New characters with their changes. */
export class Rewriting {
  readonly codes: number[] = [];
  readonly changes: number[] = [];

  push(code: number, change: number): void {
    this.codes.push(code);
    this.changes.push(change);
  }

  /** Adds to the change of the character pushed last, if there is one. */
  swallow(count: number): void {
    if (this.changes.length > 0) this.changes[this.changes.length - 1] -= count;
  }

  /** The rewritten text; `skipped` source characters at the front stand for nothing. */
  apply(text: AlignedText, skipped = 0): AlignedText {
    const builder = new AlignedTextBuilder(this.codes.length);
    let source = skipped;
    for (let at = 0; at < this.codes.length; at++) {
      const change = this.changes[at];
      const from = Math.max(change > 0 ? source - 1 : source, 0);
      const place = Math.min(from, text.length - 1);
      builder.push(this.codes[at], text.starts[place] ?? 0, text.ends[place] ?? 0);
      if (change <= 0) source += 1 - change;
    }
    return builder.build();
  }
}

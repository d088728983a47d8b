/**
 * The contract of pre-tokenizers, which cut text into the pieces that a model encodes one by one. `split` is the plain
 * way, with offsets; `fast`, where there is one, tells how to cut raw code points with scanners instead.
 */
import type { Splitter } from '../split/splitter.ts';
import type { AlignedText } from '../text/aligned-text.ts';

/** Cutting without offsets: first `prepare` rewrites the text, then the splitters cut it, each inside the pieces of the last. */
export interface FastSplit {
  /** @param first true for the text that starts at offset 0 of the input. */
  readonly prepare?: (text: string, first: boolean) => string;
  /** True if `prepare` must know whether a text starts at offset 0, which it cannot behind a normalizer. */
  readonly needsStart?: boolean;
  readonly splitters: readonly Splitter[];
  /** A character that is put in front of every piece. */
  readonly piecePrefix?: number;
  /** True if the model takes the pieces in the byte alphabet. */
  readonly byteLevel: boolean;
}

/** Cuts a piece into smaller ones. */
export interface PreTokenizer {
  split(piece: AlignedText): AlignedText[];
  readonly fast: FastSplit | undefined;
}

/** Pre-tokenizers one after the other. */
export function sequence(parts: readonly PreTokenizer[]): PreTokenizer {
  return {
    split: (piece) => parts.reduce((pieces, part) => pieces.flatMap((one) => part.split(one)), [piece]),
    fast: joinFast(parts),
  };
}

function joinFast(parts: readonly PreTokenizer[]): FastSplit | undefined {
  const splitters: Splitter[] = [];
  let first: Pick<FastSplit, 'prepare' | 'needsStart'> = {};
  let byteLevel = false;
  for (const [index, { fast }] of parts.entries()) {
    // Only the first part may rewrite text, none its pieces, and nothing may come after the change to bytes.
    if (!fast || byteLevel || fast.piecePrefix || (fast.prepare && index > 0)) return undefined;
    if (fast.prepare) first = { prepare: fast.prepare, needsStart: fast.needsStart ?? false };
    splitters.push(...fast.splitters);
    byteLevel = fast.byteLevel;
  }
  return { ...first, splitters, byteLevel };
}

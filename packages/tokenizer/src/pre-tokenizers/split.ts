/** Split: cuts at the matches of a pattern, in one of five ways, or at everything but the matches. */

import type { SeparatorBehavior } from '../split/run-splitters.ts';
import type { Splitter } from '../split/splitter.ts';
import type { AlignedText } from '../text/aligned-text.ts';
import type { Match, TextPattern } from '../text/pattern.ts';
import type { PreTokenizer } from './pre-tokenizer.ts';

/** What happens to a match: it is a piece, is dropped, joins a neighbour, or joins its kind. */
export type SplitBehavior = SeparatorBehavior;

interface Part {
  start: number;
  end: number;
  match: boolean;
}

/** Matches and the gaps between them, in order. */
function partsOf(matches: readonly Match[], length: number, invert: boolean): Part[] {
  const parts: Part[] = [];
  let done = 0;
  for (const [start, end] of matches) {
    if (start > done) parts.push({ start: done, end: start, match: invert });
    parts.push({ start, end, match: !invert });
    done = end;
  }
  if (done < length) parts.push({ start: done, end: length, match: invert });
  return parts;
}

/** Applies a behavior to matches given in order. */
export function cut(
  text: AlignedText,
  matches: readonly Match[],
  behavior: SplitBehavior,
  invert = false,
): AlignedText[] {
  return cutParts(matches, text.length, behavior, invert).map(({ start, end }) => text.slice(start, end));
}

/** The pieces, without empty ones. */
function cutParts(matches: readonly Match[], length: number, behavior: SplitBehavior, invert: boolean): Part[] {
  return joinParts(partsOf(matches, length, invert), behavior).filter(({ start, end }) => end > start);
}

function joinParts(parts: readonly Part[], behavior: SplitBehavior): Part[] {
  switch (behavior) {
    case 'Isolated':
      return [...parts];
    case 'Removed':
      return parts.filter((part) => !part.match);
    case 'Contiguous':
      return joinWhere(parts, (previous, part) => previous.match === part.match);
    case 'MergedWithPrevious':
      return joinWhere(parts, (previous, part) => part.match && !previous.match);
    case 'MergedWithNext':
      // From the right, so that of several matches in a row the last one joins the text after it.
      return joinWhere([...parts].reverse(), (following, part) => part.match && !following.match).reverse();
  }
}

/** Joins a part to the one before it where the two allow it; a joined part keeps the kind that it came with. */
function joinWhere(parts: readonly Part[], mayJoin: (previous: Part, part: Part) => boolean): Part[] {
  const joined: Part[] = [];
  let previous: Part | undefined;
  for (const part of parts) {
    const last = joined.at(-1);
    if (last && previous && mayJoin(previous, part)) {
      last.start = Math.min(last.start, part.start);
      last.end = Math.max(last.end, part.end);
    } else joined.push({ ...part });
    previous = part;
  }
  return joined;
}

/**
 * A splitter that searches a stretch when it is asked for the first piece of it and remembers the others.
 */
function searchingSplitter(search: (codes: Int32Array) => readonly Part[]): Splitter {
  let stretch: Int32Array | undefined;
  let stretchEnd = 0;
  let expected = 0;
  let parts: readonly Part[] = [];
  let next = 0;
  let base = 0;
  return (codes, at, end) => {
    if (codes !== stretch || end !== stretchEnd || at !== expected || next === parts.length) {
      [stretch, stretchEnd, base, next] = [codes, end, at, 0];
      parts = search(codes.subarray(at, end));
    }
    const part = parts[next];
    if (part && part.start + base === at) {
      expected = part.end + base;
      next++;
      return expected;
    }
    // What lies before the next piece is dropped.
    expected = part ? part.start + base : end;
    return -expected;
  };
}

/** @param splitter a scanner that cuts the same way, if there is one. */
export function split(
  pattern: TextPattern,
  behavior: SplitBehavior,
  invert: boolean,
  splitter?: Splitter,
): PreTokenizer {
  const search = (codes: Int32Array): Part[] => cutParts(pattern.matches(codes), codes.length, behavior, invert);
  return {
    split: (piece) => search(piece.codes).map(({ start, end }) => piece.slice(start, end)),
    fast: { splitters: [splitter ?? searchingSplitter(search)], byteLevel: false },
  };
}

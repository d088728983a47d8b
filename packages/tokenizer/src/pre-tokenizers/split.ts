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
  const parts = partsOf(matches, text.length, invert);
  return joinParts(parts, behavior)
    .filter(({ start, end }) => end > start)
    .map(({ start, end }) => text.slice(start, end));
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

/** @param splitter a scanner that cuts the same way, if there is one. */
export function split(
  pattern: TextPattern,
  behavior: SplitBehavior,
  invert: boolean,
  splitter?: Splitter,
): PreTokenizer {
  return {
    split: (piece) => cut(piece, pattern.matches(piece.codes), behavior, invert),
    fast: splitter && { splitters: [splitter], byteLevel: false },
  };
}

/**
 * ByteLevel's trimming of offsets: white space at the ends of a token's text is taken out of its offsets, except for a
 * single leading space where add_prefix_space is set and the token is the first one or starts at 0.
 */
import type { Encoding } from '../encoding.ts';
import { codeToByte } from '../text/byte-alphabet.ts';
import { classOf, SPACE } from '../text/char-classes.ts';
import { toCodePoints } from '../text/code-points.ts';

const BYTE_SPACE = 0x120;

function isSpace(code: number): boolean {
  // A space of the byte alphabet, or white space as it stands in an added token.
  return (
    code === BYTE_SPACE || (code >= codeToByte.length || codeToByte[code] < 0 ? (classOf(code) & SPACE) !== 0 : false)
  );
}

/** Trims an encoding and its overflowing parts. */
export function trimOffsets(addPrefixSpace: boolean): (encoding: Encoding) => Encoding {
  return function trim(encoding): Encoding {
    const starts = encoding.starts.slice();
    const ends = encoding.ends.slice();
    for (let at = 0; at < encoding.length; at++) {
      const codes = toCodePoints(encoding.tokens[at]);
      let leading = 0;
      while (leading < codes.length && isSpace(codes[leading])) leading++;
      let trailing = 0;
      while (trailing < codes.length && isSpace(codes[codes.length - 1 - trailing])) trailing++;
      if (leading > 0) {
        if (leading === 1 && (at === 0 || starts[at] === 0) && addPrefixSpace) leading = 0;
        starts[at] = Math.min(starts[at] + leading, ends[at]);
      }
      if (trailing > 0 && ends[at] >= trailing) ends[at] = Math.max(ends[at] - trailing, starts[at]);
    }
    return encoding.with({ starts, ends }, encoding.overflowing.map(trim));
  };
}

/**
 * Splitters: hand-written scanners that cut an array of code points into pieces in one pass, without a regular
 * expression. Each takes a place and returns where the piece that starts there ends.
 */

/**
 * Returns the end of the piece that starts at `at` (at < end); nothing from `end` on is looked at, as if the text ended
 * there. A negative result -e means that the stretch up to e is dropped.
 */
export type Splitter = (codes: Int32Array, at: number, end: number) => number;

/** Receives the pieces codes[start, end) in order. */
export type PieceReceiver = (codes: Int32Array, start: number, end: number) => void;

/** Cuts with the first splitter, each of its pieces with the second, and so on. */
export function splitWith(
  splitters: readonly Splitter[],
  codes: Int32Array,
  start: number,
  end: number,
  receive: PieceReceiver,
  level = 0,
): void {
  if (level === splitters.length) {
    receive(codes, start, end);
    return;
  }
  const splitter = splitters[level];
  const last = level === splitters.length - 1;
  for (let at = start; at < end; ) {
    const stop = splitter(codes, at, end);
    if (stop < 0) {
      at = -stop;
      continue;
    }
    if (last) receive(codes, at, stop);
    else splitWith(splitters, codes, at, stop, receive, level + 1);
    at = stop;
  }
}

/**
 * Truncation. With m tokens left for two texts of a and b tokens, "longest_first" cuts the longer one to m - shorter if the
 * shorter has at most m/2 tokens, otherwise both to halves of m. What is cut off is kept as overlapping parts.
 */
import { GallopError } from '@gallop/core';
import type { Encoding } from './encoding.ts';

export interface TruncationOptions {
  /** Most tokens in an encoding, special tokens included. */
  readonly maxLength: number;
  /** Tokens that each overflowing part shares with the one before it. Default 0. */
  readonly stride?: number;
  /** Which text of a pair gives tokens up. Default 'longest_first'. */
  readonly strategy?: 'longest_first' | 'only_first' | 'only_second';
  /** The side that is cut off. Default 'right'. */
  readonly direction?: 'left' | 'right';
}

/**
 * Cuts one encoding to `length` tokens; the parts cut off are its overflow.
 * @throws GallopError `invalid-argument` unless stride < length.
 */
export function truncateOne(encoding: Encoding, length: number, stride: number, direction: 'left' | 'right'): Encoding {
  const count = encoding.length;
  if (count <= length) return encoding;
  if (length === 0) return encoding.slice(0, 0).with({}, [encoding]);
  if (!(stride >= 0 && stride < length)) {
    throw new GallopError(
      'invalid-argument',
      `Expected a truncation stride below the ${length} tokens left for text; received ${stride}. Use a smaller stride or a larger maxLength.`,
    );
  }
  const step = length - stride;
  const parts: Encoding[] = [];
  if (direction === 'right') {
    for (let from = 0; ; from += step) {
      parts.push(encoding.slice(from, Math.min(from + length, count)));
      if (from + length >= count) break;
    }
  } else {
    for (let to = count; ; to -= step) {
      parts.push(encoding.slice(Math.max(to - length, 0), to));
      if (to - length <= 0) break;
    }
  }
  return parts[0].with({}, parts.slice(1));
}

/** Lengths that two texts are cut to. */
function shares(options: TruncationOptions, room: number, first: number, second: number): [number, number] {
  const tooLong = (which: string): GallopError =>
    new GallopError(
      'invalid-argument',
      `Expected the ${which} text alone to be cut to ${room} tokens; the other one leaves no room. Use strategy 'longest_first' or a larger maxLength.`,
    );
  switch (options.strategy ?? 'longest_first') {
    case 'only_first':
      if (second >= room) throw tooLong('first');
      return [room - second, second];
    case 'only_second':
      if (first >= room) throw tooLong('second');
      return [first, room - first];
    default: {
      const firstIsShorter = first <= second;
      const shorter = Math.min(first, second);
      const half = Math.floor(room / 2);
      const [low, high] = shorter <= half ? [shorter, room - shorter] : [half, room - half];
      return firstIsShorter ? [low, high] : [high, low];
    }
  }
}

/**
 * Cuts one text or a pair so that `added` special tokens still fit.
 * @throws GallopError `invalid-argument` where the options leave no room.
 */
export function truncate(
  options: TruncationOptions,
  added: number,
  first: Encoding,
  second: Encoding | undefined,
): [Encoding, Encoding | undefined] {
  const { maxLength, stride = 0, direction = 'right' } = options;
  if (!Number.isInteger(maxLength) || maxLength < 0) {
    throw new GallopError(
      'invalid-argument',
      `Expected truncation.maxLength as an integer from 0; received ${maxLength}.`,
    );
  }
  const room = Math.max(maxLength - added, 0);
  if (first.length + (second?.length ?? 0) <= room) return [first, second];
  if (room === 0) return [truncateOne(first, 0, 0, direction), second && truncateOne(second, 0, 0, direction)];
  if (!second) {
    if (options.strategy === 'only_second') {
      throw new GallopError(
        'invalid-argument',
        `Expected a pair, because truncation strategy 'only_second' cuts its second text; received one text of ${first.length} tokens for ${room}. Use 'longest_first' or 'only_first'.`,
      );
    }
    return [truncateOne(first, room, stride, direction), undefined];
  }
  const [firstShare, secondShare] = shares(options, room, first.length, second.length);
  return [truncateOne(first, firstShare, stride, direction), truncateOne(second, secondShare, stride, direction)];
}

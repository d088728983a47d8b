/** Padding of a batch to one length. */
import { GallopError } from '@gallop/core';
import { Encoding } from './encoding.ts';

export interface PaddingOptions {
  /** The side where padding goes. Default 'right'. */
  readonly direction?: 'left' | 'right';
  /** Id of the padding token. Default 0. */
  readonly padId?: number;
  /** Text of the padding token. Default '[PAD]'. */
  readonly padToken?: string;
  /** Type id of padding. Default 0. */
  readonly padTypeId?: number;
  /** Length to pad to; null, the default: that of the longest encoding of the batch. */
  readonly length?: number | null;
  /** Round the length up to a multiple of this. Default: no rounding. */
  readonly padToMultipleOf?: number | null;
}

const LONGEST = 2 ** 26;

function pad(encoding: Encoding, length: number, options: PaddingOptions): Encoding {
  const missing = length - encoding.length;
  const overflowing = encoding.overflowing.map((part) => pad(part, length, options));
  if (missing <= 0) return encoding.with({}, overflowing);
  const ids = new Array<number>(missing).fill(options.padId ?? 0);
  const tokens = new Array<string>(missing).fill(options.padToken ?? '[PAD]');
  const padding = Encoding.special(ids, tokens, options.padTypeId ?? 0, 0);
  return Encoding.join(options.direction === 'left' ? [padding, encoding] : [encoding, padding], overflowing);
}

/**
 * Pads all encodings and their overflowing parts to one length.
 * @throws GallopError `invalid-argument` for a length or multiple that is no integer in range.
 */
export function padBatch(encodings: readonly Encoding[], options: PaddingOptions): Encoding[] {
  let length = options.length ?? encodings.reduce((most, encoding) => Math.max(most, encoding.length), 0);
  const multiple = options.padToMultipleOf ?? 0;
  for (const value of [length, multiple]) {
    if (!Number.isInteger(value) || value < 0 || value > LONGEST) {
      throw new GallopError('invalid-argument', `Expected padding lengths from 0 to ${LONGEST}; received ${value}.`);
    }
  }
  if (multiple > 0) length = Math.ceil(length / multiple) * multiple;
  return encodings.map((encoding) => pad(encoding, length, options));
}

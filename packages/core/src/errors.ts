/**
 * The one error class of the project. Every failure that a caller can act on carries a stable `code` and says what was
 * expected, what was received and what to do about it. Recognition works across duplicated copies of this package.
 */

export type ErrorCode =
  | 'invalid-argument'
  | 'invalid-state'
  | 'invalid-file'
  | 'unsupported'
  | 'not-found'
  | 'out-of-memory'
  | 'context-overflow'
  | 'download-failed'
  | 'checksum-mismatch'
  | 'storage-failed'
  | 'backend-unavailable';

/** An error with a stable code. Build messages as "what was expected; received …; what to do". */
export class GallopError extends Error {
  readonly code: ErrorCode;
  readonly isGallopError: true = true;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'GallopError';
    this.code = code;
  }

  /** True for a GallopError of any copy of this package, optionally of one code. */
  static isInstance(value: unknown, code?: ErrorCode): value is GallopError {
    return (
      value instanceof Error && 'isGallopError' in value && (code === undefined || (value as GallopError).code === code)
    );
  }
}

/** Throws `invalid-argument` unless the condition holds. */
export function requireArgument(condition: unknown, message: () => string): asserts condition {
  if (!condition) throw new GallopError('invalid-argument', message());
}

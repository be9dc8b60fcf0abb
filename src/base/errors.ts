/**
 * The errors of leandex. Every error carries a stable `code`; misuse (a wrong type, a value out of
 * range) is a TypeError or RangeError with the same property, so `error.code` always works.
 */
export type ErrorCode =
  | 'ABORTED'
  | 'ALREADY_EXISTS'
  | 'BUSY'
  | 'CLOSED'
  | 'CORRUPT'
  | 'DIMENSION_MISMATCH'
  | 'INTERNAL'
  | 'INVALID_ARGUMENT'
  | 'IO_ERROR'
  | 'NOT_FOUND'
  | 'READ_ONLY'
  | 'RESOURCE_EXHAUSTED'
  | 'UNSUPPORTED'
  | 'UNSUPPORTED_VERSION';

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** A failure that is not the caller's misuse: damaged bytes, an unsupported platform, an abort. */
export class LeandexError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LeandexError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The shape that every thrown error has. */
export type CodedError = Error & { readonly code: ErrorCode; readonly details: ErrorDetails };

function withCode(error: Error, code: ErrorCode, details: ErrorDetails): CodedError {
  return Object.assign(error, { code, details });
}

/** A value of the wrong type: says what was expected and what was received. */
export function wrongType(what: string, expected: string, received: unknown): CodedError {
  const message = `${what} must be ${expected}, received ${describe(received)}`;
  return withCode(new TypeError(message), 'INVALID_ARGUMENT', { what, expected });
}

/** A value of the right type that is not allowed. */
export function outOfRange(what: string, expected: string, received: unknown): CodedError {
  const message = `${what} must be ${expected}, received ${describe(received)}`;
  return withCode(new RangeError(message), 'INVALID_ARGUMENT', { what, expected });
}

/** A vector, or rows of vectors, whose length does not fit the index. */
export function wrongDimension(
  what: string,
  expected: number | string,
  received: number,
  unit = 'numbers',
): CodedError {
  const message = `${what} has ${received} ${unit}, expected ${expected}`;
  return withCode(new RangeError(message), 'DIMENSION_MISMATCH', { what, expected, received });
}

/** What a value is, short enough for a message. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return String(value);
  const length = (value as { length?: unknown }).length;
  const name = value.constructor?.name ?? 'object';
  return typeof length === 'number' ? `${name}(${length})` : name;
}

import { type CodedError, type ErrorCode, LeandexError } from '../base/errors.js';

/** An answer that is no success: its HTTP status, and what to say. */
export interface Refusal {
  status: number;
  message: string;
  /** The code of leandex's own errors, for native routes and logs. */
  code: string;
  /** Seconds after which to try again. */
  retryAfter?: number;
}

const REFUSAL = Symbol('refusal');

/** An error that says how it is to be answered. */
export function refused(status: number, message: string, retryAfter?: number): Error {
  const code = CODES[status] ?? 'INTERNAL';
  const refusal: Refusal = { status, message, code, ...(retryAfter && { retryAfter }) };
  return Object.assign(new Error(message), { [REFUSAL]: refusal });
}

/** Names for statuses that no error of leandex stands for. */
const CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'STANDALONE',
  408: 'ABORTED',
  409: 'ALREADY_EXISTS',
  413: 'RESOURCE_EXHAUSTED',
  415: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  429: 'BUSY',
  501: 'UNSUPPORTED',
  503: 'BUSY',
};

/** Statuses of leandex's own errors, and what Qdrant puts before their messages. */
const STATUSES: Readonly<Record<ErrorCode, readonly [number, string]>> = {
  ABORTED: [408, 'Timeout: '],
  ALREADY_EXISTS: [409, 'Wrong input: '],
  BUSY: [503, 'Service unavailable: '],
  CLOSED: [503, 'Service unavailable: '],
  CORRUPT: [500, 'Service internal error: '],
  DIMENSION_MISMATCH: [400, 'Wrong input: Vector dimension error: '],
  INTERNAL: [500, 'Service internal error: '],
  INVALID_ARGUMENT: [400, 'Wrong input: '],
  IO_ERROR: [500, 'Service internal error: '],
  NOT_FOUND: [404, 'Not found: '],
  READ_ONLY: [403, 'Forbidden: '],
  RESOURCE_EXHAUSTED: [507, 'Insufficient storage: '],
  UNSUPPORTED: [400, 'Bad request: '],
  UNSUPPORTED_VERSION: [400, 'Bad request: '],
};

/** How any error is answered. Those that nobody foresaw are 500, and say nothing of themselves. */
export function refusalOf(error: unknown): Refusal {
  const { [REFUSAL]: own, code, message } = error as Partial<CodedError> & { [REFUSAL]?: Refusal };
  if (own !== undefined) return own;
  if (code === 'DIMENSION_MISMATCH') return dimensionRefusal(error as CodedError);
  const known = STATUSES[code as ErrorCode];
  if (known !== undefined) return { status: known[0], message: known[1] + message, code: code! };
  if (code !== undefined && DISK_FULL.includes(code)) return NO_ROOM;
  return frameworkRefusal(error) ?? INTERNAL;
}

/** What the system says where an upload or a checksum finds no room. */
const DISK_FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];
const NO_ROOM: Refusal = {
  status: 507,
  message: 'Insufficient storage: the disk is full',
  code: 'RESOURCE_EXHAUSTED',
};

/** In the words that clients of Qdrant may look for, and where it was. */
function dimensionRefusal({ details, code }: CodedError): Refusal {
  const { what, expected, received } = details;
  const problem = `expected dim: ${String(expected)}, got ${String(received)}`;
  const message = `Wrong input: Vector dimension error: ${problem} (${String(what)})`;
  return { status: 400, message, code };
}

const INTERNAL: Refusal = {
  status: 500,
  message: 'Service internal error: see the log',
  code: 'INTERNAL',
};

/** What the framework found wrong before a handler ran. */
function frameworkRefusal(error: unknown): Refusal | undefined {
  const { statusCode, code, message } = error as {
    statusCode?: number;
    code?: string;
    message: string;
  };
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined;
  const text = code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? 'the body is too large' : message;
  return {
    status: statusCode,
    message: `Bad request: ${text}`,
    code: CODES[statusCode] ?? 'INVALID_ARGUMENT',
  };
}

/** The error for what leandex does not do. */
export function unsupported(what: string, reason = 'it is not supported'): LeandexError {
  return new LeandexError('UNSUPPORTED', `${what}: ${reason}`);
}

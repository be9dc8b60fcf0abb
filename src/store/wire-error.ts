import { type ErrorCode, type ErrorDetails, LeandexError } from '../base/errors.js';

/** An error between threads: of a copied error only the message and the stack would remain. */
export interface WireError {
  name: string;
  message: string;
  code?: ErrorCode;
  details?: ErrorDetails;
  cause?: string;
}

export function toWire(error: unknown): WireError {
  const { name, message, code, details } = error as Partial<WireError>;
  const { cause } = error as { cause?: unknown };
  const wire: WireError = { name: name ?? 'Error', message: message ?? String(error) };
  if (typeof code === 'string') wire.code = code;
  if (details !== undefined) wire.details = details;
  if (cause !== undefined)
    wire.cause = cause instanceof Error ? String(cause.stack) : String(cause);
  return wire;
}

/** What has no code of ours is a mistake of ours. */
export function fromWire({ name, message, code, details, cause }: WireError): Error {
  const isMisuse = code !== undefined && (name === 'TypeError' || name === 'RangeError');
  if (isMisuse) {
    const error = name === 'TypeError' ? new TypeError(message) : new RangeError(message);
    return Object.assign(error, { code, details });
  }
  if (code === undefined) return new LeandexError('INTERNAL', `${name}: ${message}`, { cause });
  return new LeandexError(code, message, { details: details ?? {}, cause });
}

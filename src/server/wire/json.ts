import { isUtf8 } from 'node:buffer';
import { isInteger, parse, stringify } from 'lossless-json';

/** Where a whole number begins that may be larger than a number of JavaScript holds exactly. */
const LONG_INTEGER = /(?:^|[[:,\s])-?\d{16,}(?![\d.eE])/;

/**
 * JSON with whole numbers of any length: those beyond 2^53 are bigint. Texts without any take the
 * engine's own parser, which is several times as fast.
 * @throws SyntaxError
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new SyntaxError('it is not UTF-8');
  const text = bytes.toString();
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  return parse(text, undefined, { parseNumber: exactNumber, onDuplicateKey: lastOf });
}

function exactNumber(text: string): number | bigint {
  const value = Number(text);
  return isInteger(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}

/** As the engine's own parser does. */
const lastOf = ({ newValue }: { newValue: unknown }) => newValue;

/** JSON text; bigint is written as a whole number. */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Only ids beyond 2^53 are bigint, and few collections have them.
    const text = error instanceof TypeError ? stringify(value) : undefined;
    if (text === undefined) throw error;
    return text;
  }
}

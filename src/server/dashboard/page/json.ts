/** JSON whose whole numbers beyond 2^53 are bigint: ids have 64 bits. Engines without it round them. */

interface SourceText {
  source?: string;
}

type Reviver = (key: string, value: unknown, context?: SourceText) => unknown;

const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };

/** @throws SyntaxError */
export function parseJson(text: string): unknown {
  return parseWith(text, (_, value, context) => {
    const isExact = typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER;
    const source = context?.source;
    return !isExact && source && /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

export function toJson(value: unknown, indent?: number): string {
  const write = (_: string, one: unknown): unknown => {
    if (typeof one !== 'bigint') return one;
    return rawJSON === undefined ? Number(one) : rawJSON(String(one));
  };
  return JSON.stringify(value, write, indent);
}

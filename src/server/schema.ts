declare const shape: unique symbol;

/** JSON Schema of values of type T; what a request may hold and what the documentation says. */
export interface Schema<T> {
  readonly [shape]?: T;
  readonly [keyword: string]: unknown;
}

/** The values that a schema describes. */
export type Of<S> = S extends Schema<infer T> ? T : never;

type Properties = Readonly<Record<string, Schema<unknown>>>;
type Required<P extends Properties> = { [K in keyof P]: Of<P[K]> };
type Optional<P extends Properties> = { [K in keyof P]?: Of<P[K]> | null | undefined };

/** Keywords besides those that a function sets: bounds, `description`. */
type Keywords = Readonly<Record<string, unknown>>;

export const string = (keywords: Keywords = {}): Schema<string> => ({
  type: 'string',
  ...keywords,
});

export const boolean = (keywords: Keywords = {}): Schema<boolean> => ({
  type: 'boolean',
  ...keywords,
});

export const number = (keywords: Keywords = {}): Schema<number> => ({
  type: 'number',
  ...keywords,
});

export const integer = (keywords: Keywords = {}): Schema<number> => ({
  type: 'integer',
  ...keywords,
});

export const anything = (keywords: Keywords = {}): Schema<unknown> => ({ ...keywords });

export function oneOf<const T extends string>(values: readonly T[]): Schema<T> {
  return { type: 'string', enum: values };
}

export function array<T>(items: Schema<T>, keywords: Keywords = {}): Schema<T[]> {
  return { type: 'array', items, ...keywords };
}

export function record<T>(values: Schema<T>): Schema<Record<string, T>> {
  return { type: 'object', additionalProperties: values };
}

export function either<S extends readonly Schema<unknown>[]>(...anyOf: S): Schema<Of<S[number]>> {
  return { anyOf };
}

export const nullable = <T>(schema: Schema<T>): Schema<T | null> =>
  either(schema, { type: 'null' } as Schema<null>);

/** An object that is one of two things, told apart by whether a member of this type is there. */
export function eitherBy<A, B>(
  member: string,
  type: string,
  then: Schema<A>,
  otherwise: Schema<B>,
): Schema<A | B> {
  const is = { type: 'object', properties: { [member]: { type } }, required: [member] };
  return { type: 'object', if: is, then, else: otherwise };
}

/** An object of these members and no others. Where a member may be left out, null means the same. */
export function object<P extends Properties, Q extends Properties = Record<never, never>>(
  required: P,
  optional: Q = {} as Q,
): Schema<Required<P> & Optional<Q>> {
  const maybe = Object.entries(optional).map(([name, schema]) => [name, nullable(schema)]);
  return {
    type: 'object',
    properties: { ...required, ...Object.fromEntries(maybe) },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

const COMPONENT = Symbol('component');

/**
 * Values that are checked where they are used, with better messages than a schema gives, and that may
 * hold what no JSON Schema knows: bigint, binary vectors. The documentation refers to a component.
 */
export function component<T>(name: string): Schema<T> {
  return { [COMPONENT]: name } as Schema<T>;
}

/** The component that a schema stands for. */
export function componentOf(schema: object): string | undefined {
  return (schema as { [COMPONENT]?: string })[COMPONENT];
}

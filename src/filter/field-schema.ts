import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { isObject } from './path.js';
import type { Tokenizer } from './tokens.js';

export const FIELD_TYPES = [
  'keyword',
  'integer',
  'float',
  'bool',
  'datetime',
  'uuid',
  'geo',
  'text',
] as const;

export type FieldType = (typeof FIELD_TYPES)[number];

/** What the values of an indexed field are, by name or with options. */
export type FieldSchema = FieldType | { type: FieldType; [option: string]: unknown };

/** Options that other engines place memory by: taken, and of no effect here. */
const HINTS = [
  'on_disk',
  'is_tenant',
  'is_principal',
  'enable_hnsw',
  'lookup',
  'range',
  'phrase_matching',
];
/** Where it is to lie, as newer clients say it. */
const MEMORY = ['cold', 'cached', 'pinned'] as const;
const TEXT_OPTIONS = ['tokenizer', 'lowercase', 'min_token_len', 'max_token_len'];
const SPLITS = ['word', 'whitespace', 'multilingual', 'prefix'] as const;
const TOKEN_LENGTH_MAX = 65_535;

/** @throws TypeError, RangeError `INVALID_ARGUMENT`, also for an option that would be ignored. */
export function checkFieldSchema(what: string, value: unknown): FieldSchema {
  if (typeof value === 'string') return checkOneOf(what, value as FieldType, FIELD_TYPES);
  if (!isObject(value)) throw wrongType(what, 'a type or an object with a type', value);
  const type = checkOneOf(`${what}.type`, value.type as FieldType, FIELD_TYPES);
  checkOptions(what, value, ['type', 'memory', ...HINTS, ...(type === 'text' ? TEXT_OPTIONS : [])]);
  for (const name of [...HINTS, 'lowercase']) {
    const option = value[name] ?? false;
    if (typeof option !== 'boolean') throw wrongType(`${what}.${name}`, 'a boolean', option);
  }
  checkOneOf(`${what}.memory`, (value.memory ?? 'cold') as 'cold', MEMORY);
  if (type === 'text') checkTokenizer(what, value);
  return { ...value, type };
}

function checkTokenizer(what: string, options: Record<string, unknown>): void {
  checkOneOf(`${what}.tokenizer`, (options.tokenizer ?? 'word') as 'word', SPLITS);
  const least = checkLength(`${what}.min_token_len`, options.min_token_len ?? 1);
  const most = checkLength(`${what}.max_token_len`, options.max_token_len ?? TOKEN_LENGTH_MAX);
  if (least > most) {
    throw outOfRange(`${what}.min_token_len`, `at most max_token_len, ${most}`, least);
  }
}

function checkLength(what: string, value: unknown): number {
  return checkInteger(what, value, 1, TOKEN_LENGTH_MAX);
}

export function typeOf(schema: FieldSchema): FieldType {
  return typeof schema === 'string' ? schema : schema.type;
}

/** How the texts of a field are split; undefined unless it is indexed as text. */
export function tokenizerOf(schema: FieldSchema | undefined): Tokenizer | undefined {
  if (schema === undefined || typeOf(schema) !== 'text') return undefined;
  const options: Record<string, unknown> = typeof schema === 'string' ? {} : schema;
  return {
    split: (options.tokenizer ?? 'word') as Tokenizer['split'],
    lowercase: (options.lowercase ?? true) as boolean,
    minLength: (options.min_token_len ?? 1) as number,
    maxLength: (options.max_token_len ?? TOKEN_LENGTH_MAX) as number,
  };
}

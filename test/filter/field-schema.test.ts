import { describe, expect, test } from 'vitest';
import { checkFieldSchema, tokenizerOf } from '../../src/filter/field-schema.js';
import { errorOf } from '../datasets/support.js';

describe('the schema of a field', () => {
  test.each([
    'keyword',
    'integer',
    'float',
    'bool',
    'datetime',
    'uuid',
    'geo',
    'text',
    { type: 'keyword' },
    { type: 'keyword', is_tenant: true, on_disk: false },
    { type: 'integer', lookup: true, range: null },
    { type: 'text', tokenizer: 'prefix', min_token_len: 2, max_token_len: 2, lowercase: false },
  ])('may be %j', (schema) => {
    expect(checkFieldSchema('field schema', schema)).toEqual(schema);
  });

  test.each<[unknown, string]>([
    ['string', 'field schema must be keyword or integer'],
    [5, 'field schema must be a type or an object with a type'],
    [{}, 'field schema.type must be keyword or'],
    [{ type: 'keyword', tokenizer: 'word' }, 'an option of field schema must be one of'],
    [{ type: 'text', stemmer: 'snowball' }, 'an option of field schema must be one of'],
    [{ type: 'text', tokenizer: 'letters' }, 'field schema.tokenizer must be word or'],
    [{ type: 'text', lowercase: 1 }, 'field schema.lowercase must be a boolean'],
    [{ type: 'text', min_token_len: 0 }, 'field schema.min_token_len must be an integer from 1'],
    [
      { type: 'text', min_token_len: 3, max_token_len: 2 },
      'field schema.min_token_len must be at most',
    ],
    [{ type: 'keyword', on_disk: 'yes' }, 'field schema.on_disk must be a boolean'],
  ])('may not be %j', (schema, message) => {
    expect(errorOf(() => checkFieldSchema('field schema', schema))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  test('of a text says how it is split', () => {
    const usual = { split: 'word', lowercase: true, minLength: 1, maxLength: 65_535 };
    expect(tokenizerOf('text')).toEqual(usual);
    expect(tokenizerOf({ type: 'text', tokenizer: 'prefix', max_token_len: 9 })).toEqual({
      ...usual,
      split: 'prefix',
      maxLength: 9,
    });
    expect(tokenizerOf('keyword')).toBeUndefined();
    expect(tokenizerOf(undefined)).toBeUndefined();
  });
});

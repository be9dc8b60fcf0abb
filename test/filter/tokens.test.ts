import { describe, expect, test } from 'vitest';
import { prefixOf, type Tokenizer, tokensOf, wordsOf } from '../../src/filter/tokens.js';

const tokenizer = (options: Partial<Tokenizer> = {}): Tokenizer => ({
  split: 'word',
  lowercase: true,
  minLength: 1,
  maxLength: 1000,
  ...options,
});

describe('words', () => {
  test.each<[string, Partial<Tokenizer>, string[]]>([
    ["Hello, World's 2nd_try! ", {}, ['hello', 'world', 's', '2nd', 'try']],
    ['naïve ÉCOLE 東京 x²', {}, ['naïve', 'école', '東京', 'x²']],
    [' a-b\tc\n\nd ', { split: 'whitespace' }, ['a-b', 'c', 'd']],
    ['Ab aB', { lowercase: false }, ['Ab', 'aB']],
    ['a bb ccc dddd', { minLength: 2, maxLength: 3 }, ['bb', 'ccc']],
    // Characters are counted, not units of UTF-16.
    ['𝐀 𝐀𝐀 𝐀𝐀𝐀', { minLength: 2, maxLength: 2, lowercase: false }, ['𝐀𝐀']],
    ['a bb ccc dddd', { split: 'prefix', minLength: 2, maxLength: 3 }, ['bb', 'ccc', 'dddd']],
    ["it's 你好世界", { split: 'multilingual' }, ["it's", '你好', '世界']],
    ['...', {}, []],
    ['', { split: 'whitespace' }, []],
  ])('of %j with %j are %j', (text, options, expected) => {
    expect(wordsOf(text, tokenizer(options))).toEqual(expected);
  });

  test('of a query are cut to the longest prefix', () => {
    const prefixes = tokenizer({ split: 'prefix', minLength: 2, maxLength: 3 });
    expect(tokensOf('A carpet', prefixes)).toEqual(['car']);
    expect(tokensOf('A carpet', tokenizer())).toEqual(['a', 'carpet']);
    expect(prefixOf('𝐀𝐁𝐂', 2)).toBe('𝐀𝐁');
  });
});

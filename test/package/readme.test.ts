import { describe, expect, test } from 'vitest';
import { readmePrograms } from './readme.js';

/** A Markdown text with these blocks, each a language and its lines. */
function markdown(...blocks: [string, string][]): string {
  return blocks.map(([language, code]) => `Text\n\n\`\`\`${language}\n${code}\`\`\`\n`).join('\n');
}

describe('readmePrograms', () => {
  test('takes the ts blocks that use LeanIndex', () => {
    const text = markdown(
      ['sh', 'npm install leandex # LeanIndex\n'],
      ['ts', 'LeanIndex.build(a);\n'],
      ['ts', 'other();\n'],
      ['tsx', 'LeanIndex.build(b);\n'],
      ['ts', 'LeanIndex.build(c);\nd();\n'],
    );
    expect(readmePrograms(text)).toEqual(['LeanIndex.build(a);\n', 'LeanIndex.build(c);\nd();\n']);
  });

  test('joins a fragment to what it continues', () => {
    const text = markdown(
      ['ts', 'LeanIndex.build(a);\n'],
      ['ts', '// A fragment: goes on.\nb();\n'],
      ['ts', 'c();\n'],
      ['ts', '// fragment\nLeanIndex.build(d);\n'],
    );
    expect(readmePrograms(text)).toEqual([
      'LeanIndex.build(a);\n// A fragment: goes on.\nb();\n',
      'c();\n// fragment\nLeanIndex.build(d);\n',
    ]);
  });

  test('refuses a fragment that continues nothing', () => {
    expect(() => readmePrograms(markdown(['ts', '// fragment\nx();\n']))).toThrow(/x\(\)/);
  });

  test('finds none in a text without blocks', () => {
    expect(readmePrograms('LeanIndex')).toEqual([]);
  });
});

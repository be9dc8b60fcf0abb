import { describe, expect, test } from 'vitest';
import { readmePrograms } from './readme.js';

/** A Markdown text with these blocks, each a language and its lines. */
function markdown(...blocks: [string, string][]): string {
  return blocks.map(([language, code]) => `Text\n\n\`\`\`${language}\n${code}\`\`\`\n`).join('\n');
}

describe('readmePrograms', () => {
  test('takes the ts blocks that import leandex', () => {
    const text = markdown(
      ['sh', "npm install leandex # from 'leandex'\n"],
      ['ts', "import { a } from 'leandex';\n"],
      ['ts', 'other();\n'],
      ['tsx', "import { b } from 'leandex';\n"],
      ['ts', "import { c } from 'leandex';\nd();\n"],
    );
    expect(readmePrograms(text)).toEqual([
      "import { a } from 'leandex';\n",
      "import { c } from 'leandex';\nd();\n",
    ]);
  });

  test('joins a fragment to what it continues', () => {
    const text = markdown(
      ['ts', "import { a } from 'leandex';\n"],
      ['ts', '// A fragment: goes on.\nb();\n'],
      ['ts', 'c();\n'],
      ['ts', "// fragment\nimport { d } from 'leandex';\n"],
    );
    expect(readmePrograms(text)).toEqual([
      "import { a } from 'leandex';\n// A fragment: goes on.\nb();\n",
      "c();\n// fragment\nimport { d } from 'leandex';\n",
    ]);
  });

  test('refuses a fragment that continues nothing', () => {
    expect(() => readmePrograms(markdown(['ts', '// fragment\nx();\n']))).toThrow(/x\(\)/);
  });

  test('finds none in a text without blocks', () => {
    expect(readmePrograms("from 'leandex'")).toEqual([]);
  });
});

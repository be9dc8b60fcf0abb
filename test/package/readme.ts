const BLOCK = /^```ts[^\S\n]*\n([\s\S]*?)^```[^\S\n]*$/gm;
const FRAGMENT = /^\/\/.*\bfragment\b/;

/**
 * The programs in a Markdown text that import `leandex` or its server: each block marked `ts` is one, together
 * with the blocks behind it whose first line is a comment with the word "fragment".
 */
export function readmePrograms(markdown: string): string[] {
  const programs: string[] = [];
  for (const [, block] of markdown.matchAll(BLOCK)) {
    if (!FRAGMENT.test(block!)) programs.push(block!);
    else if (programs.length > 0) programs[programs.length - 1] += block;
    else throw new Error(`this fragment continues nothing:\n${block}`);
  }
  return programs.filter((program) => /\bfrom 'leandex(\/server)?'/.test(program));
}

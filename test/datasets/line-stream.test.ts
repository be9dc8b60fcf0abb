import fc from 'fast-check';
import { expect, test } from 'vitest';
import { streamLines } from '../../datasets/line-stream.js';

async function* inChunks(bytes: Buffer, sizes: readonly number[]) {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function linesOf(text: string, sizes: readonly number[]) {
  const found: [number, string][] = [];
  for await (const { line, bytes } of streamLines(inChunks(Buffer.from(text), sizes), 'x')) {
    found.push([line, bytes.toString()]);
  }
  return found;
}

const LINE = fc.stringMatching(/^[a-zäß€😀]*$/u);
const SIZES = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

test('gives the lines however the bytes come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(LINE),
      SIZES,
      fc.constantFrom('\n', '\r\n'),
      async (lines, sizes, end) => {
        const text = lines.map((line) => line + end).join('');
        expect(await linesOf(text, sizes)).toEqual(lines.map((line, i) => [i + 1, line]));
      },
    ),
    { seed: 8 },
  );
});

test('the last line needs no end, and a byte order mark is dropped', async () => {
  expect(await linesOf('\ufeffa\nb', [2])).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
});

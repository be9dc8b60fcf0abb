import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gathered, scattered } from '../../src/fde/record-parts.js';
import { PART_BYTES } from '../../src/format/layout.js';

const sizes = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.nat(200) },
    { weight: 2, arbitrary: fc.integer({ min: PART_BYTES - 2, max: PART_BYTES + 2 }) },
    { weight: 1, arbitrary: fc.constant(2 * PART_BYTES + 7) },
  ),
  { maxLength: 8 },
);

test('pieces come as parts and go back to pieces', () => {
  const property = fc.property(sizes, (lengths) => {
    const pieces = lengths.map((length, i) =>
      Uint8Array.from({ length }, (_, j) => (7 * i + j) % 251),
    );
    const all = new Uint8Array(Buffer.concat(pieces));
    const parts = Array.from(gathered(pieces), (part) => part.slice());
    expect(Buffer.compare(Buffer.concat(parts), all)).toBe(0);
    for (const part of parts.slice(0, -1)) expect(part.length).toBe(PART_BYTES);
    const back = lengths.map((length) => new Uint8Array(length));
    let at = 0;
    for (const part of scattered(all.length, back)) {
      part.set(all.subarray(at, at + part.length));
      at += part.length;
    }
    expect(at).toBe(all.length);
    for (const [i, piece] of back.entries()) expect(Buffer.compare(piece, pieces[i]!)).toBe(0);
  });
  fc.assert(property, { seed: 1, numRuns: 25 });
});

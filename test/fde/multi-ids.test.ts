import { describe, expect, test } from 'vitest';
import {
  build,
  closeAtEnd,
  codeOf,
  errorOf,
  expectExact,
  Mirror,
  queryOf,
  SMALL,
  single,
  some,
} from './multi-support.js';

closeAtEnd();

const upTo = (end: number, start = 0) => Array.from({ length: end - start }, (_, i) => start + i);

describe('given ids', () => {
  const refusals: [string, unknown, RegExp][] = [
    ['a list', [1, 2], /ids must be a Uint32Array, received Array\(2\)/],
    ['too few', Uint32Array.of(1), /one for each of the 2 rows, received Uint32Array\(1\)/],
    ['one twice', Uint32Array.of(9, 9), /different from each other, received "9 twice"/],
    ['the number that stands for none', Uint32Array.of(1, 2 ** 32 - 1), /to 4294967294, received/],
    ['one in use', Uint32Array.of(8, 3), /not in use, received 3/],
  ];
  test.each(refusals)('are refused, nothing changed: %s', async (_, wrong, message) => {
    const index = await build(some(1, 4));
    const bytes = index.toBytes();
    const options = { ids: wrong as Uint32Array };
    expect(await errorOf(() => index.add(some(2, 2), options))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
    expect(Buffer.compare(index.toBytes(), bytes)).toBe(0);
  });

  test.each(refusals.slice(0, 4))('are refused by build(): %s', async (_, wrong, message) => {
    expect(await errorOf(() => build(some(2, 2), { ids: wrong as Uint32Array }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['an exact index', 1000],
    ['a graph', 0],
  ])('may come in any order, with gaps, and again when deleted: %s', async (_, exactBelow) => {
    const ids = Uint32Array.of(70, 5, 4_000_000_000, 12);
    const sets = some(3, 4);
    const index = await build(sets, { ids, exactBelow, tokenBits: 32, fde: SMALL });
    const mirror = new Mirror();
    mirror.set(ids, sets);
    expectExact(index, mirror, 1);
    expect([...(await index.add(some(4, 2)))]).toEqual([4_000_000_001, 4_000_000_002]);
    mirror.set([4_000_000_001, 4_000_000_002], some(4, 2));
    await index.delete([5, 12]);
    await index.add(some(5, 2), { ids: Uint32Array.of(12, 0) });
    mirror.documents.delete(5);
    mirror.set([12, 0], some(5, 2));
    expect([...index.ids()]).toEqual(mirror.ids);
    expectExact(index, mirror, 2);
  });

  test('are copied at the call', async () => {
    const index = await build(some(6, 3));
    const ids = Uint32Array.of(10, 20);
    const adding = index.add(some(7, 2), { ids });
    ids.fill(0);
    expect([...(await adding)]).toEqual([10, 20]);
    expect(index.has(20)).toBe(true);
  });

  test.each([
    ['an exact index', 1000],
    ['one that becomes a graph', 90],
    ['a graph', 0],
  ])('can be deleted from the call of add() on: %s', async (_, exactBelow) => {
    for (const turns of [0, 1, 2, 3, 5, 8]) {
      const index = await build(some(8, 60), { tokenBits: 32, exactBelow, fde: SMALL });
      const mirror = new Mirror();
      mirror.set(upTo(60), some(8, 60));
      const added = upTo(1040, 1000);
      const adding = index.add(some(9, 40), { ids: Uint32Array.from(added) });
      for (let i = 0; i < turns; i++) await new Promise(setImmediate);
      expect(await index.delete([1003, 1020, 7])).toBe(3);
      expect(await index.delete([1003, 1020, 7])).toBe(0);
      await adding;
      mirror.set(added, some(9, 40));
      for (const id of [1003, 1020, 7]) mirror.documents.delete(id);
      expect([...index.ids()]).toEqual(mirror.ids);
      expect(index.count).toBe(97);
      expectExact(index, mirror, turns);
      // And they may come back.
      await index.add(single(queryOf(1)), { ids: Uint32Array.of(1020) });
      mirror.set([1020], single(queryOf(1)));
      expectExact(index, mirror, turns);
    }
  });

  test('that wait for their turn are deleted with those that live', async () => {
    const index = await build(some(10, 5));
    const first = index.add(some(11, 1), { ids: Uint32Array.of(50) });
    const gone = index.delete([50, 2]);
    const again = index.add(some(12, 1), { ids: Uint32Array.of(2) });
    expect(await gone).toBe(2);
    await Promise.all([first, again]);
    expect([...index.ids()]).toEqual([0, 1, 2, 3, 4]);
    expect(index.tokensOf(2)!.length).toBe(some(12, 1).tokens.length);
  });

  test('of an addition that failed or was aborted are free, and unknown', async () => {
    const index = await build(some(13, 5));
    const ids = Uint32Array.of(40, 41);
    const wrong = some(14, 2);
    wrong.tokens[3] = Number.NaN;
    expect(await codeOf(() => index.add(wrong, { ids }))).toBe('INVALID_ARGUMENT');
    const signal = AbortSignal.abort();
    expect(await codeOf(() => index.add(some(14, 2), { ids, signal }))).toBe('ABORTED');
    expect(await codeOf(() => index.delete([41]))).toBe('INVALID_ARGUMENT');
    expect([...(await index.add(some(14, 2), { ids }))]).toEqual([40, 41]);
    expect(await index.delete([41])).toBe(1);
  });
});

describe('deleting', () => {
  test.each([
    [5, /ids must be an array, typed array or Set of ids, received 5/],
    ['5', /ids must be .* received "5"/],
    [null, /received null/],
    [['1'], /id must be a number, received "1"/],
    [[3, 20], /id must be an integer from 0 to 19, received 20/],
    [[-1], /received -1/],
    [[Number.NaN], /received NaN/],
  ])('refuses %j, and deletes nothing', async (ids, message) => {
    const index = await build(some(15, 20));
    expect(await errorOf(() => index.delete(ids as never))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
    const signal = AbortSignal.abort();
    expect(await codeOf(() => index.delete([1], { signal }))).toBe('ABORTED');
    expect(index.count).toBe(20);
  });

  test('takes any iterable, and while an addition waits nothing that it will bring', async () => {
    const index = await build(some(16, 20));
    const adding = index.add(some(17, 2));
    expect(await codeOf(() => index.delete([20]))).toBe('INVALID_ARGUMENT');
    expect(await index.delete(new Set([1, 2]))).toBe(2);
    expect(await index.delete(Uint8Array.of(3, 3))).toBe(1);
    await adding;
    expect(await index.delete([20, 1])).toBe(1);
    expect(index.count).toBe(18);
  });
});

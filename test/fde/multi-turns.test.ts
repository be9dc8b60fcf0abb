import { expect, test } from 'vitest';
import { LeanMultiIndex, poolTokens } from '../../src/index.js';
import {
  build,
  closeAtEnd,
  D,
  kept,
  queryOf,
  saved,
  single,
  some,
  sourceOf,
} from './multi-support.js';
import { tokenSets } from './token-sets.js';

closeAtEnd();

test('the event loop turns often, whatever runs', async () => {
  let turns = 0;
  let isBusy = true;
  const count = () => {
    turns++;
    if (isBusy) setImmediate(count);
  };
  setImmediate(count);
  const turnsOf = async (work: () => Promise<unknown>) => {
    const before = turns;
    await work();
    return turns - before;
  };
  const long = single(queryOf(1, 1500));
  expect(await turnsOf(() => poolTokens(long, { dimensions: D, ratio: 2 }))).toBeGreaterThan(10);
  let index!: LeanMultiIndex;
  const options = { threads: 1, tokenBits: 32, exactBelow: 5000 } as const;
  const sets = some(1, 3000);
  const building = await turnsOf(async () => {
    index = await build(sets, options);
  });
  expect(building).toBeGreaterThan(5);
  const wide = { candidates: 3000, ef: 3000 };
  const queries = tokenSets(2, [300, 300, 300], D);
  expect(await turnsOf(() => index.searchBatch(queries, 10, wide))).toBeGreaterThan(2);
  expect(await turnsOf(() => index.searchAsync(queryOf(3, 500), 10, wide))).toBeGreaterThan(1);
  let bytes!: Uint8Array;
  const saving = await turnsOf(async () => {
    bytes = await saved(index);
  });
  expect(saving).toBeGreaterThan(2);
  const loading = await turnsOf(async () => {
    kept((await LeanMultiIndex.load(sourceOf(bytes))).index);
  });
  expect(loading).toBeGreaterThan(2);
  isBusy = false;
});

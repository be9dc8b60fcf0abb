import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeNpy } from '../../datasets/npy.js';
import { open } from '../../src/db/open.js';
import { inFolder, run, runWith, useFolder } from './support.js';

useFolder();

const BIG = 2n ** 64n - 1n;

beforeEach(async () => {
  const db = await open(inFolder('data'));
  const docs = await db.createCollection('docs', { vectors: { size: 2, distance: 'Dot' } });
  await docs.createTextIndex('body');
  await docs.upsert([
    { id: 1, vector: [1, 0], payload: { body: 'winter shoes', lang: 'en' } },
    { id: 2, vector: [2, 0], payload: { body: 'summer shoes', lang: 'de' } },
    { id: BIG, vector: [3, 0], payload: { body: 'coats', lang: 'en' } },
    { id: '4', vector: [0, 4] },
  ]);
  await db.close();
});

/** Ids and scores, as text: ids may be longer than numbers hold. */
const query = async (...args: string[]) => {
  const { code, out, err } = await run('query', inFolder('data'), 'docs', '--json', ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return [...out.matchAll(/"id":("?\w+"?),"score":([\d.e-]+)/g)].map(([, id]) => id);
};

describe('leandex query', () => {
  test('by a vector, however it is given', async () => {
    const best = [String(BIG), '2', '1', '"4"'];
    expect(await query('--vector', '[1, 0]')).toEqual(best);
    expect(await query('--vector', '[1, 0]', '--k', '2', '--offset', '1')).toEqual(['2', '1']);
    writeFileSync(inFolder('v.json'), '[1,0]');
    expect(await query('--vector', inFolder('v.json'), '--exact')).toEqual(best);
    writeNpy(inFolder('v.npy'), [2, 2], Float32Array.of(0, 1, 1, 0));
    expect(await query('--vector', inFolder('v.npy'), '--row', '1')).toEqual(best);
    const piped = await runWith('[1,0]\n', 'query', inFolder('data'), 'docs', '--vector', '-');
    expect(piped.out).toMatch(/\| 18446744073709551615 \| +3\.0/);
  });

  test('by a point, by words and by both, with filters', async () => {
    expect(await query('--id', '1', '--k', '2')).toEqual([String(BIG), '2']);
    expect(await query('--id', '"4"', '--score-threshold', '0.5')).toEqual([]);
    expect(await query('--text', 'winter shoes')).toEqual(['1', '2']);
    expect(await query('--text', 'winter shoes', '--operator', 'all')).toEqual(['1']);
    const filter = JSON.stringify({ must: { key: 'lang', match: { value: 'en' } } });
    expect(await query('--vector', '[1,0]', '--filter', filter)).toEqual([String(BIG), '1']);
    const long = `{ "must": { "has_id": [${BIG}, ${BIG - 1n}] } }`;
    expect(await query('--vector', '[1,0]', '--filter', long)).toEqual([String(BIG)]);
    const fused = await query('--vector', '[1,0]', '--text', 'shoes', '--k', '3');
    expect(fused.toSorted()).toEqual(['1', '2', String(BIG)].toSorted());
  });

  test('shows payloads and vectors when asked', async () => {
    const args = ['query', inFolder('data'), 'docs', '--vector', '[1,0]', '--k', '2'];
    const { out } = await run(...args, '--payload', 'lang', '--with-vector', '--json');
    expect(out).toBe(
      `{"hits":[{"id":${BIG},"score":3,"payload":{"lang":"en"},"vector":[3,0]},` +
        `{"id":2,"score":2,"payload":{"lang":"de"},"vector":[2,0]}]}\n`,
    );
    const table = await run(...args, '--payload');
    expect(table.out).toMatch(/\{"body":"coats","lang":"en"\}/);
    expect((await run(...args)).out).not.toMatch(/payload/);
  });

  test('errors', async () => {
    const cases: [string[], number, RegExp][] = [
      [['docs'], 2, /must be one of --vector, --id and --text/],
      [['docs', '--vector', '[1]', '--id', '1'], 2, /one of --vector and --id, received "both"/],
      [['docs', '--vector', '[1'], 2, /a vector as JSON/],
      [['docs', '--filter', '{', '--id', '1'], 2, /It must be JSON/],
      [['docs', '--vector', '[1,2,3]'], 1, /vector has 3 numbers, expected 2/],
      [['docs', '--vector', 'none.json'], 1, /there is no file none\.json/],
      [['docs', '--id', '77'], 1, /no point has the id 77/],
      [['none', '--id', '1'], 1, /no collection "none"/],
      [['docs', '--text', 'a', '--text-field', 'x'], 2, /--text-field must be body/],
    ];
    for (const [args, expected, message] of cases) {
      const { code, err } = await run('query', inFolder('data'), ...args);
      expect(err).toMatch(message);
      expect(err).not.toMatch(/\n\s+at /);
      expect(code).toBe(expected);
    }
  });
});

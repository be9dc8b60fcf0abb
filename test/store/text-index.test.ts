import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import type { CollectionFile } from '../../src/store/collection-file.js';
import { commitGroup } from '../../src/store/group-commit.js';
import { changePayloads } from '../../src/store/payload-writes.js';
import { remove, upsert } from '../../src/store/point-writes.js';
import { searchTexts, texts } from '../../src/store/text-search.js';
import { createText, dropTexts, fillText } from '../../src/store/text-writes.js';
import { deleteVectors } from '../../src/store/vector-writes.js';
import { verify } from '../../src/store/verify.js';
import { memoryCollection, write } from './support.js';

const SETTINGS = { field: 'a.b[]', tokenizer: 'unicode61', prefix: [] } as const;

const payload = (...words: unknown[]) => JSON.stringify({ a: { b: words } });

function put(file: CollectionFile, id: number, json: string | null): void {
  const columns = [{ field: 0, vectors: Float32Array.of(id) }];
  write(file, () => upsert(file, { ids: [id], payloads: [json], columns }));
}

function indexed(): CollectionFile {
  const file = memoryCollection([{ name: 'v', size: 1, originals: 'float32' }]);
  write(file, () => createText(file, { ...SETTINGS, prefix: [] }));
  write(file, () => fillText(file, SETTINGS.field));
  return file;
}

function rowsWith(file: CollectionFile, word: string): number[] {
  const match = { field: SETTINGS.field, phrases: [word], isAll: true, isPrefix: false };
  return [...searchTexts(file, match, 100).rows].sort((a, b) => a - b);
}

describe('a text index', () => {
  test('follows every kind of write', () => {
    const file = indexed();
    put(file, 1, payload('red', 7, 'blue'));
    put(file, 2, null);
    put(file, 3, payload('red'));
    expect([rowsWith(file, 'red'), rowsWith(file, 'blue')]).toEqual([[0, 2], [0]]);
    put(file, 1, payload('green'));
    expect([rowsWith(file, 'red'), rowsWith(file, 'green')]).toEqual([[2], [3]]);
    write(file, () =>
      changePayloads(file, { ids: [2] }, { kind: 'set', payload: { a: { b: ['green', 'red'] } } }),
    );
    write(file, () => changePayloads(file, { ids: [3] }, { kind: 'set', payload: { x: 1 } }));
    expect([rowsWith(file, 'red'), rowsWith(file, 'green')]).toEqual([
      [1, 2],
      [1, 3],
    ]);
    write(file, () => deleteVectors(file, { ids: [3] }, [0]));
    expect(rowsWith(file, 'red')).toEqual([1, 4]);
    write(file, () => changePayloads(file, { ids: [2] }, { kind: 'clear' }));
    write(file, () => remove(file, { ids: [1] }));
    expect([rowsWith(file, 'red'), rowsWith(file, 'green')]).toEqual([[4], []]);
    expect(drain(verify(file))).toEqual({ points: 2 });
  });

  test('is filled some rows at a time, and follows writes of both kinds of rows meanwhile', () => {
    const file = memoryCollection([{ name: 'v', size: 1, originals: 'float32' }]);
    for (let id = 0; id < 600; id++) put(file, id, id % 7 === 0 ? null : payload(`n${id}`));
    write(file, () => createText(file, { ...SETTINGS, prefix: [] }));
    write(file, () => fillText(file, SETTINGS.field));
    const [{ missing }] = texts(file) as [ReturnType<typeof texts>[number]];
    expect(missing!.from).toBeGreaterThan(0);
    expect(missing!.to).toBe(600);
    expect(() => rowsWith(file, 'n1')).toThrow('still being made');
    // One that is filled in already and one that is not; and a new one.
    for (const id of [1, 599]) {
      write(file, () =>
        changePayloads(file, { ids: [id] }, { kind: 'overwrite', payload: { a: { b: ['late'] } } }),
      );
    }
    write(file, () => remove(file, { ids: [2, 598] }));
    put(file, 1_000, payload('late'));
    for (let n = 0; n < 2; n++) write(file, () => fillText(file, SETTINGS.field));
    expect(rowsWith(file, 'late')).toEqual([1, 599, 600]);
    expect(rowsWith(file, 'n2')).toEqual([]);
    expect(rowsWith(file, 'n500')).toEqual([500]);
    expect(drain(verify(file))).toEqual({ points: 599 });
  });

  test('is as before where a write fails, and so is what the writer knows of it', () => {
    const file = indexed();
    put(file, 1, payload('red'));
    const fails = () => {
      throw new Error('no');
    };
    const [, failed] = commitGroup(file, [
      () => createText(file, { field: 'kept', tokenizer: 'porter', prefix: [2] }),
      () => {
        upsert(file, { ids: [1], payloads: [payload('blue')], columns: [] });
        createText(file, { field: 'lost', tokenizer: 'trigram', prefix: [] });
        fails();
      },
    ]);
    expect(failed).toHaveProperty('error');
    expect(file.texts.map(({ field }) => field)).toEqual([SETTINGS.field, 'kept']);
    expect(texts(file)).toEqual(file.texts);
    expect([rowsWith(file, 'red'), rowsWith(file, 'blue')]).toEqual([[0], []]);
    expect(drain(verify(file))).toEqual({ points: 1 });
    expect(write(file, () => dropTexts(file, undefined))).toBe(1);
    expect(write(file, () => dropTexts(file, SETTINGS.field))).toBe(1);
    expect(texts(file)).toEqual([]);
  });

  test.each([
    ["INSERT INTO text_0(rowid, words) VALUES (9, 'more')"],
    ["INSERT INTO text_0(text_0, rowid, words) VALUES ('delete', 0, 'red')"],
    ['DELETE FROM text_0_docsize WHERE id = 0'],
    ["UPDATE text_0_docsize SET sz = x'05' WHERE id = 0"],
    ["UPDATE text_0_data SET block = x'0909' WHERE id = 1"],
    ['DELETE FROM text_0_data WHERE id > 10'],
    ["INSERT INTO text_0(text_0) VALUES ('delete-all')"],
  ])('that is out of step is found: %s', (sql) => {
    const file = indexed();
    put(file, 1, payload('red'));
    put(file, 2, payload('red', 'blue'));
    // SQLite keeps the tables of its own from being changed.
    (file.db as unknown as { unsafeMode(isUnsafe: boolean): void }).unsafeMode(true);
    file.db.exec(sql);
    let code: unknown;
    try {
      drain(verify(file));
    } catch (error) {
      code = (error as { code: unknown }).code;
    }
    expect(String(code)).toMatch(/^(CORRUPT|SQLITE_CORRUPT.*)$/);
    // It is made of the payloads: given up and made anew, all is well.
    write(file, () => dropTexts(file, SETTINGS.field));
    write(file, () => createText(file, { ...SETTINGS, prefix: [] }));
    write(file, () => fillText(file, SETTINGS.field));
    expect(drain(verify(file))).toEqual({ points: 2 });
    expect([rowsWith(file, 'red'), rowsWith(file, 'blue')]).toEqual([[0, 1], [1]]);
  });
});

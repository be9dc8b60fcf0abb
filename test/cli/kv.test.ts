import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeNpy } from '../../datasets/npy.js';
import { Random } from '../../src/base/random.js';
import { KvCache } from '../../src/kv/cache.js';
import { compressKv, KvModel } from '../../src/kv/model.js';
import { inFolder, run, useFolder } from './support.js';

const SHAPE = { layers: 3, kvHeads: 2, headDim: 8 };
const WIDTH = SHAPE.kvHeads * SHAPE.headDim;

useFolder();

/** A cache in memory, and the same in a folder. */
function made(name: string, tokens: number, notes: object | null = SHAPE) {
  const random = new Random(tokens);
  const numbers = () =>
    Float32Array.from(
      { length: SHAPE.layers * tokens * WIDTH },
      (_, i) => (random.uniform() - 0.5) / (1 + (i % WIDTH)),
    );
  const cache = { keys: numbers(), values: numbers(), tokens };
  mkdirSync(inFolder(name));
  const shape = [SHAPE.layers, tokens, WIDTH];
  writeNpy(inFolder(name, 'keys.npy'), shape, cache.keys);
  writeNpy(inFolder(name, 'values.npy'), shape, cache.values);
  if (notes !== null) writeFileSync(inFolder(name, 'cache.json'), JSON.stringify(notes));
  return { path: inFolder(name), cache };
}

describe('leandex kv', () => {
  test('the commands of the documentation say how tokens are split where no model does', () => {
    const docs = ['docs/kv-cache.md', 'src/cli/kv.ts'].map((file) =>
      readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8'),
    );
    const commands = docs.flatMap((text) => text.match(/leandex kv (train|compress) .*/g) ?? []);
    expect(commands.length).toBeGreaterThan(3);
    const isUnsaid = (command: string) => !/--(kv-heads|head-dim|model|help)\b/.test(command);
    expect(commands.filter(isUnsaid)).toEqual([]);
  });

  test('trains the model that the library trains, and compresses with it', async () => {
    const [a, b, c] = [made('a', 200), made('b', 150), made('c', 120)];
    const model = await KvModel.train([a.cache, b.cache], { ...SHAPE, bitsPerNumber: 3, group: 2 });
    const out = inFolder('model.lxkv');
    const flags = ['--bits', '3', '--group', '2', '--out', out, '--json'];
    const trained = await run('kv', 'train', a.path, b.path, ...flags);
    expect(trained.err).toBe('');
    expect(JSON.parse(trained.out)).toMatchObject({ kind: 'model', tokens: 350, out });
    expect(readFileSync(out).equals(model.toBytes())).toBe(true);

    const packed = inFolder('c.lxkv');
    const { code } = await run('kv', 'compress', c.path, '--model', out, '--out', packed);
    expect(code).toBe(0);
    expect(readFileSync(packed).equals(model.compress(c.cache).toBytes())).toBe(true);
    const inspected = await run('kv', 'inspect', packed, '--model', out, '--json');
    const { bytes, groups } = KvCache.fromBytes(readFileSync(packed), model);
    expect(JSON.parse(inspected.out)).toMatchObject({ kind: 'cache', tokens: 120, bytes, groups });
    expect(
      groups.map(({ kind, layers, basis }) => [kind, layers.first, layers.count, basis]),
    ).toEqual([
      ['keys', 0, 2, 'calibrated'],
      ['keys', 2, 1, 'calibrated'],
      ['values', 0, 2, 'calibrated'],
      ['values', 2, 1, 'calibrated'],
    ]);
    expect(groups.reduce((sum, group) => sum + group.bytes, 0)).toBe(bytes.tokens);
    const alone = await run('kv', 'inspect', packed);
    expect(alone.err).toMatch(/--model must be the one the cache was compressed with.*"none"/);
    expect(alone.code).toBe(2);
    expect((await run('kv', 'inspect', out)).out).toMatch(/model of 3 layers, 2 heads of 8/);
  });

  test('the size of a head, in cache.json or as a flag, is enough', async () => {
    for (const [name, notes, flags] of [
      ['noted', { headDim: SHAPE.headDim }, []],
      ['said', null, ['--head-dim', String(SHAPE.headDim)]],
    ] as const) {
      const { path } = made(name, 100, notes);
      const out = inFolder(`${name}.lxkv`);
      const { err, out: text } = await run('kv', 'train', path, ...flags, '--out', out, '--json');
      expect(err).toBe('');
      expect(JSON.parse(text).options).toMatchObject(SHAPE);
    }
  });

  test('does without a model, of two files and of some layers', async () => {
    const { path, cache } = made('a', 100, null);
    const out = inFolder('a.lxkv');
    const files = `${path}/keys.npy,${path}/values.npy`;
    const flags = ['--kv-heads', '2', '--layers', '1-2', '--error', '0.2', '--out', out];
    const { code, out: text } = await run('kv', 'compress', files, ...flags);
    expect(code).toBe(0);
    expect(text).toMatch(/cache of 100 tokens, basis own/);
    const size = 100 * WIDTH;
    const some = { keys: cache.keys.slice(size), values: cache.values.slice(size), tokens: 100 };
    const own = compressKv(some, { ...SHAPE, layers: 2, error: 0.2, basis: 'own' });
    expect(readFileSync(out).equals(own.toBytes())).toBe(true);
  });

  test.each<[string, string[], number, RegExp]>([
    [
      'heads are not known',
      ['compress', 'a', '--out', 'x'],
      2,
      /--kv-heads or --head-dim must be given/,
    ],
    [
      'heads that do not fit',
      ['compress', 'a', '--kv-heads', '3', '--out', 'x'],
      2,
      /--kv-heads must be a divisor of 16, the width of .*, received 3 /,
    ],
    [
      'heads that do not fit their size',
      ['compress', 'a', '--kv-heads', '2', '--head-dim', '4', '--out', 'x'],
      2,
      /--kv-heads times --head-dim must be 16, the width of .*, received 8 /,
    ],
    [
      'no such layer',
      ['compress', 'a', '--kv-heads', '2', '--layers', '3', '--out', 'x'],
      2,
      /of the 3 layers/,
    ],
    ['no folder', ['train', 'none', '--out', 'x'], 1, /there is no folder/],
    ['no files', ['train', '.', '--out', 'x'], 1, /there is no file .*keys\.npy/],
    ['not a cache', ['inspect', 'a/keys.npy'], 1, /not those of a leandex file/],
    [
      'no folder for it',
      ['train', 'a', '--kv-heads', '2', '--out', 'none/x'],
      1,
      /none.x: .*IO_ERROR/,
    ],
    ['no output', ['train', 'a'], 2, /--out <file>' not specified/],
    [
      'two budgets',
      ['compress', 'a', '--kv-heads', '2', '--bytes', '9', '--error', '1', '--out', 'x'],
      2,
      /the budget must be one of/,
    ],
    [
      'calibrated of nothing',
      ['compress', 'a', '--kv-heads', '2', '--basis', 'auto', '--out', 'x'],
      2,
      /without --model/,
    ],
    [
      'wrong bits',
      ['train', 'a', '--bits', '9', '--out', 'x'],
      2,
      /It must be a number from 0.05 to 8/,
    ],
    ['a misspelt option', ['inspect', 'a', '--jsom'], 2, /Did you mean --json/],
  ])('%s: a message, no stack, no file', async (_, args, expected, message) => {
    made('a', 20, null);
    const paths = new Set(['a', 'a/keys.npy', 'none', 'none/x', 'x', '.']);
    const { code, err } = await run(
      'kv',
      ...args.map((arg) => (paths.has(arg) ? inFolder(arg) : arg)),
    );
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(code).toBe(expected);
    expect(() => readFileSync(inFolder('x'))).toThrow();
  });
});

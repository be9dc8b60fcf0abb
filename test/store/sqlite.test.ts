import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase, sqliteProblem } from '../../src/store/sqlite.js';
import { temporaryFolder } from './support.js';

const ROOT = join(import.meta.dirname, '../..');

test.each([
  [undefined, '20.20.2', 'npm install better-sqlite3@12'],
  [undefined, '22.1.0', 'npm install better-sqlite3'],
  ['13.0.3', '20.20.2', 'npm install better-sqlite3@12'],
  ['10.9.9', '22.1.0', 'npm install better-sqlite3'],
  ['10.9.9', '18.0.0', 'npm install better-sqlite3@12'],
])('better-sqlite3 %s on Node %s: %s', (version, node, command) => {
  const problem = sqliteProblem(version, node)!;
  expect(problem.endsWith(command)).toBe(true);
  if (version !== undefined) expect(problem).toContain(version);
});

test.each([
  ['11.0.0', '20.0.0'],
  ['12.11.1', '20.20.2'],
  ['12.11.1', '26.0.0'],
  ['13.0.3', '22.0.0'],
])('better-sqlite3 %s is fine on Node %s', (version, node) => {
  expect(sqliteProblem(version, node)).toBeUndefined();
});

describe('in a folder of its own', () => {
  const program = `
    import { Store } from './dist/src/store/store.js';
    await Store.open(process.argv[2]).then(
      (store) => store.close().then(() => console.log('opened')),
      ({ code, message }) => console.log(code, message),
    );`;

  /** Runs the program where only the packages given are installed. */
  function run(prepare: (modules: string) => void): { answer: string; store: string } {
    const folder = temporaryFolder();
    cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'program.js'), program);
    prepare(join(folder, 'node_modules'));
    const store = join(folder, 'data');
    const answer = execFileSync(process.execPath, ['program.js', store], { cwd: folder });
    return { answer: String(answer).trim(), store };
  }

  test('a missing better-sqlite3 is UNSUPPORTED with the command that installs it', () => {
    const { answer, store } = run(() => {});
    expect(answer).toMatch(/^UNSUPPORTED .*npm install better-sqlite3/);
    expect(existsSync(store)).toBe(false);
  });

  test('one that would end the process is not loaded', () => {
    const { answer } = run((modules) => {
      const home = join(modules, 'better-sqlite3');
      mkdirSync(home, { recursive: true });
      const manifest = { name: 'better-sqlite3', version: '10.0.0', main: 'index.js' };
      writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
      writeFileSync(join(home, 'index.js'), 'process.abort()');
    });
    expect(answer).toMatch(/^UNSUPPORTED better-sqlite3 10\.0\.0 does not work here/);
  });

  test('one that cannot be loaded is UNSUPPORTED', () => {
    const { answer } = run((modules) => {
      const home = join(modules, 'better-sqlite3');
      mkdirSync(home, { recursive: true });
      const manifest = { name: 'better-sqlite3', version: '12.0.0', main: 'index.js' };
      writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
      writeFileSync(join(home, 'index.js'), 'throw new Error("no binary")');
    });
    expect(answer).toMatch(/^UNSUPPORTED .*no binary.*npm rebuild better-sqlite3/);
  });
});

test('a database that is opened distrusts what is in it', () => {
  const db = openDatabase(':memory:', { readOnly: false });
  expect(db.pragma('trusted_schema', { simple: true })).toBe(0);
  expect(db.pragma('cell_size_check', { simple: true })).toBe(1);
  db.close();
});

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const LINES_MAX = 400;

/** What a file brings in: at its start, for the types alone, or when a function is called. */
type ImportKind = 'value' | 'type' | 'dynamic';

interface Import {
  file: string;
  specifier: string;
  kind: ImportKind;
}

/** Path from the root of the repository, in posix form, to source text. */
type Sources = ReadonlyMap<string, string>;

const UP_TO_QUANT = ['base', 'kernels', 'format', 'linalg', 'quant'];
const UP_TO_GRAPH = [...UP_TO_QUANT, 'threads', 'graph'];
const UP_TO_DB = [...UP_TO_GRAPH, 'advise', 'fde', 'kv', 'db'];

/** What a folder may import besides itself. This table is design.md's "arrows point one way". */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  kernels: ['base'],
  // The scalar twins of the kernels: nothing may import them, so only tests use them.
  'kernels/scalar': ['base', 'kernels'],
  format: ['base', 'kernels'],
  linalg: ['base', 'kernels', 'format'],
  quant: ['base', 'kernels', 'format', 'linalg'],
  eval: ['base', 'kernels', 'linalg'],
  threads: ['base', 'kernels'],
  graph: [...UP_TO_QUANT, 'threads', 'eval'],
  advise: [...UP_TO_GRAPH, 'eval'],
  fde: UP_TO_GRAPH,
  kv: UP_TO_GRAPH,
  filter: ['base'],
  store: ['base', 'kernels', 'format', 'filter'],
  db: [...UP_TO_GRAPH, 'advise', 'fde', 'kv', 'eval', 'filter', 'store'],
  index: UP_TO_DB,
  server: [...UP_TO_DB, 'eval'],
  cli: [...UP_TO_DB, 'index', 'server', 'eval', 'bench', 'datasets'],
  datasets: ['base'],
  bench: [...UP_TO_DB, 'index', 'eval', 'datasets'],
};

/** Every .ts file in these folders, without declarations. */
function readSources(...folders: string[]): Sources {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      const file = posix.join(folder, entry.replaceAll('\\', '/'));
      if (!file.endsWith('.ts') || file.endsWith('.d.ts')) continue;
      if (file.includes('/node_modules/')) continue;
      sources.set(file, readFileSync(join(ROOT, file), 'utf8'));
    }
  }
  return sources;
}

const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/.source;
const COMMENT = /\/\/.*|\/\*[\s\S]*?\*\//.source;
const CLAUSE = /(?:[\w$]+\s*,?\s*)?(?:\*\s*as\s+[\w$]+|\*|\{[\w$\s,]*\})?/.source;
const STATEMENT = new RegExp(
  `^[ \\t]*(?:import|export)\\b\\s*(type\\s+(?!from\\b))?(?:${CLAUSE}\\s*from\\s*)?(['"])(.+?)\\2`,
  'gm',
);
const DYNAMIC = /\bimport\s*\(\s*(['"`])(.+?)\1/g;

/** Strings are matched with the comments, so that the "//" of an address starts no comment. */
function withoutComments(source: string): string {
  return source.replace(new RegExp(`(${STRING})|${COMMENT}`, 'g'), (_, text) => text ?? ' ');
}

/** The imports of a source text in this project's format; one in a comment does not count. */
function importsOf(file: string, source: string): Import[] {
  const code = withoutComments(source);
  const imports: Import[] = [];
  for (const [, type, , specifier] of code.matchAll(STATEMENT)) {
    imports.push({ file, specifier: specifier!, kind: type === undefined ? 'value' : 'type' });
  }
  for (const [, , specifier] of code.matchAll(DYNAMIC)) {
    imports.push({ file, specifier: specifier!, kind: 'dynamic' });
  }
  return imports;
}

/** The source file that a relative import means; undefined for packages and built-in modules. */
function targetOf({ file, specifier }: Import): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}

/** The part of the house that a file lies in, a key of ARROWS if it has its place there. */
function partOf(file: string): string {
  const [top, folder, ...rest] = file.split('/');
  if (top !== 'src') return top!;
  if (folder === 'kernels' && rest[0] === 'scalar') return 'kernels/scalar';
  return folder!.replace(/\.ts$/, '');
}

/** The imports against the arrows, each with the file, the import and the two parts. */
function wrongArrows(sources: Sources): string[] {
  return [...sources].flatMap(([file, source]) => {
    const from = partOf(file);
    const allowed = ARROWS[from];
    if (allowed === undefined) return [`${file}: ${from} has no place among the arrows`];
    return importsOf(file, source).flatMap((found) => {
      const target = targetOf(found);
      if (target === undefined) return [];
      const to = partOf(target);
      const fine = to === from || allowed.includes(to);
      return fine ? [] : [`${file} imports ${found.specifier}: ${from} must not use ${to}`];
    });
  });
}

/** What loads with `entry` at once: the modules and packages that it reaches, each importer. */
function loadedWith(sources: Sources, entry: string): { files: Set<string>; outside: Import[] } {
  const files = new Set([entry]);
  const outside: Import[] = [];
  // A set hands out what is added while it is walked.
  for (const file of files) {
    const source = sources.get(file);
    if (source === undefined) throw new Error(`${file}, loaded with ${entry}, is not there`);
    for (const found of importsOf(file, source)) {
      if (found.kind !== 'value') continue;
      const target = targetOf(found);
      if (target === undefined) outside.push(found);
      else files.add(target);
    }
  }
  return { files, outside };
}

/** The packages and built-in modules that load with `entry` and that `isAllowed` refuses. */
function outsiders(
  sources: Sources,
  entry: string,
  isAllowed: (specifier: string) => boolean,
): string[] {
  return loadedWith(sources, entry)
    .outside.filter(({ specifier }) => !isAllowed(specifier))
    .map(({ file, specifier }) => `${file} imports ${specifier}`);
}

function longFiles(sources: Sources): string[] {
  return [...sources]
    .map(([file, source]) => ({ file, lines: source.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ file, lines }) => `${file} has ${lines} lines, at most ${LINES_MAX} are allowed`);
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

describe('this repository', () => {
  const sources = readSources('src', 'bench', 'datasets');

  test('imports follow the arrows', () => {
    expect(sources.size).toBeGreaterThan(0);
    expect(wrongArrows(sources)).toEqual([]);
  });

  test('src/index.ts only re-exports', () => {
    const code = withoutComments(sources.get('src/index.ts')!);
    const rest = code.replace(/^export [^;]* from '[^']+';$/gm, '');
    expect(rest.trim()).toBe('');
  });

  // What a browser loads. Modules of Node may only be imported inside the functions that need them.
  test("import 'leandex' loads no module of Node and no package but @msgpack/msgpack", () => {
    const reached = loadedWith(sources, 'src/index.ts').files;
    expect([...reached]).toContain('src/kernels/variant.ts');
    expect(outsiders(sources, 'src/index.ts', (name) => name === '@msgpack/msgpack')).toEqual([]);
  });

  test('a worker thread loads nothing but its own file', () => {
    const { files, outside } = loadedWith(sources, 'src/threads/worker.ts');
    expect([...files, ...outside]).toEqual(['src/threads/worker.ts']);
  });

  test('the command line loads only dependencies that a consumer has', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const isThere = (name: string) => isBuiltin(name) || packageOf(name) in dependencies;
    expect(outsiders(sources, 'src/cli/main.ts', isThere)).toEqual([]);
  });

  test(`no file is longer than ${LINES_MAX} lines`, () => {
    expect(longFiles(new Map([...sources, ...readSources('wasm')]))).toEqual([]);
  });
});

/** The violations of one made-up file with one made-up import. */
function violations(file: string, specifier: string): string[] {
  return wrongArrows(new Map([[file, `import { x } from '${specifier}';\n`]]));
}

describe('the checker', () => {
  test.each<[string, ImportKind | undefined, string?]>([
    ["import x from './a.js';", 'value'],
    ["import './a.js';", 'value'],
    ["import * as x from './a.js';", 'value'],
    ["import x, { type y } from './a.js';", 'value'],
    ["import {\n  one,\n  type Two,\n} from './a.js';", 'value'],
    ["import type from './a.js';", 'value'],
    ["import type { X } from './a.js';", 'type'],
    ["export * from './a.js';", 'value'],
    ["export { x } from './a.js';", 'value'],
    ["export type { X } from './a.js';", 'type'],
    ["const m = await import('./a.js');", 'dynamic'],
    ["const u = 'https://x'; // y\nimport './a.js';", 'value'],
    ["// import './a.js';", undefined],
    [" * import './a.js'\n".replace(/^/, '/**\n').concat(' */'), undefined],
    ["export const a = 'from';\nconst b = './a.js';", undefined],
    ["export type A = 'x';\nexport function from(a = './a.js') {}", undefined],
  ])('reads %j as %s', (source, kind) => {
    const expected = kind && [{ file: 'src/f.ts', specifier: './a.js', kind }];
    expect(importsOf('src/f.ts', source)).toEqual(expected ?? []);
  });

  test.each([
    ['src/base/a.ts', '../kernels/index.js', 'base must not use kernels'],
    ['src/linalg/a.ts', '../quant/lvq.js', 'linalg must not use quant'],
    ['src/threads/a.ts', '../graph/build.js', 'threads must not use graph'],
    ['src/quant/a.ts', '../graph/build.js', 'quant must not use graph'],
    ['src/quant/a.ts', '../eval/metrics.js', 'quant must not use eval'],
    ['src/fde/a.ts', '../kv/a.js', 'fde must not use kv'],
    ['src/graph/a.ts', '../store/sqlite.js', 'graph must not use store'],
    ['src/server/a.ts', '../filter/parse.js', 'server must not use filter'],
    ['src/eval/a.ts', '../quant/lvq.js', 'eval must not use quant'],
    ['src/graph/a.ts', '../../bench/harness.js', 'graph must not use bench'],
    ['src/graph/a.ts', '../../datasets/npy.js', 'graph must not use datasets'],
    ['src/graph/a.ts', '../index.js', 'graph must not use index'],
    ['src/graph/a.ts', '../../test/support.js', 'graph must not use test'],
    ['src/kernels/a.ts', './scalar/dot.js', 'kernels must not use kernels/scalar'],
    ['bench/a.ts', '../src/kernels/scalar/dot.js', 'bench must not use kernels/scalar'],
    ['bench/a.ts', '../src/cli/main.js', 'bench must not use cli'],
    ['datasets/generate/a.ts', '../../src/linalg/qr.js', 'datasets must not use linalg'],
  ])('finds that %s imports %s', (file, specifier, reason) => {
    expect(violations(file, specifier)).toEqual([`${file} imports ${specifier}: ${reason}`]);
  });

  test.each([
    ['src/db/a.ts', '../store/sqlite.js'],
    ['src/cli/a.ts', '../../bench/harness.js'],
    ['src/kernels/scalar/a.ts', '../exports.js'],
    ['src/graph/a.ts', './build.js'],
    ['datasets/generate/a.ts', '../matrix.js'],
    ['src/base/a.ts', 'node:fs'],
  ])('lets %s import %s', (file, specifier) => {
    expect(violations(file, specifier)).toEqual([]);
  });

  test('finds a folder that has no place', () => {
    expect(wrongArrows(new Map([['src/utils/a.ts', '']]))).toEqual([
      'src/utils/a.ts: utils has no place among the arrows',
    ]);
  });

  test('finds what loads along the way, and leaves out types and lazy imports', () => {
    const made: Sources = new Map([
      ['src/index.ts', "export { a } from './graph/a.js';\nexport type { T } from './t.js';"],
      ['src/graph/a.ts', "import './b.js';\nexport const a = () => import('node:fs');"],
      ['src/graph/b.ts', "import { readFileSync } from 'node:fs';\nimport '@msgpack/msgpack';"],
    ]);
    const found = outsiders(made, 'src/index.ts', (name) => name === '@msgpack/msgpack');
    expect(found).toEqual(['src/graph/b.ts imports node:fs']);
  });

  test('finds a file that is too long', () => {
    const text = 'x\n'.repeat(LINES_MAX);
    const made: Sources = new Map([
      ['a.ts', text],
      ['b.ts', `${text}x\n`],
    ]);
    expect(longFiles(made)).toEqual(['b.ts has 401 lines, at most 400 are allowed']);
  });
});

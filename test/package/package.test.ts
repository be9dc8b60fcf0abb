import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { run } from './command.js';
import { emptyFolder, packTarball, ROOT, type Tarball } from './tarball.js';

/** Unpacked it is about 3.1 MB (1 MB packed), a quarter of it the kernels in both forms; this leaves room to grow. */
const UNPACKED_BYTES_MAX = 3_700_000;

const DEPENDENCIES = [
  ...['@fastify/multipart', '@msgpack/msgpack', 'cli-progress', 'commander'],
  ...['hyparquet', 'lossless-json', 'piscina', 'prom-client', 'roaring-wasm', 'yauzl'],
];
const KERNELS = ['simd', 'simd-shared', 'relaxed-simd', 'relaxed-simd-shared'];

/** Scripts that npm runs on a consumer's machine, or when it installs from git. */
const CONSUMER_SCRIPTS = [
  ...['preinstall', 'install', 'postinstall'],
  ...['preprepare', 'prepare', 'postprepare'],
];

describe('package.json', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

  test('names the package, its licence and its engine', () => {
    expect(manifest).toMatchObject({
      name: 'leandex',
      type: 'module',
      license: 'Apache-2.0',
      engines: { node: '>=20' },
      sideEffects: false,
      bin: { leandex: 'dist/src/cli/main.js' },
    });
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    expect(readFileSync(join(ROOT, 'LICENSE'), 'utf8')).toMatch(/Apache License\s+Version 2\.0/);
  });

  test('exports the library with its types first', () => {
    // TypeScript takes the first condition that fits, so the order is part of the contract.
    expect(Object.entries(manifest.exports['.'])).toEqual([
      ['types', './dist/src/index.d.ts'],
      ['default', './dist/src/index.js'],
    ]);
    expect(Object.keys(manifest.exports)).toEqual(['.', './server', './wasm/*', './package.json']);
  });

  test('runs nothing where it is installed', () => {
    const scripts = Object.keys(manifest.scripts);
    expect(scripts.filter((name) => CONSUMER_SCRIPTS.includes(name))).toEqual([]);
    expect(manifest).not.toHaveProperty('gypfile');
  });

  // What a build that failed leaves has no dashboard.
  test('is built before it is packed, and not packed where that fails', async () => {
    const folder = emptyFolder('prepack');
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const pack = async (build: string) => {
      const scripts = { ...manifest.scripts, build };
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, scripts }));
      await run('npm', ['pack'], { cwd: folder });
    };
    await expect(pack('exit 7')).rejects.toThrow(/exit code 7/);
    expect(readdirSync(folder)).toEqual(['package.json']);
    await pack('exit 0');
    expect(readdirSync(folder)).toContain(`leandex-${manifest.version}.tgz`);
  });

  test('depends on the allowed packages and nothing else', () => {
    expect(Object.keys(manifest.dependencies).sort()).toEqual(DEPENDENCIES);
    for (const kind of ['optionalDependencies', 'bundleDependencies']) {
      expect(manifest).not.toHaveProperty(kind);
    }
    // Native code is needed by open() alone, a web framework by serve(): whoever calls them installs it.
    const optional = { optional: true };
    expect(Object.keys(manifest.peerDependencies)).toEqual(['better-sqlite3', 'fastify']);
    expect(manifest.peerDependenciesMeta).toEqual({
      'better-sqlite3': optional,
      fastify: optional,
    });
  });

  test('lists the files that it ships', () => {
    expect(manifest.files).toEqual(['dist', 'bench/suites', 'CHANGELOG.md', 'SECURITY.md']);
  });
});

describe('the tarball', () => {
  const folder = emptyFolder('pack');
  let tarball: Tarball;
  let paths: string[];

  beforeAll(async () => {
    tarball = await packTarball(folder);
    paths = tarball.files.map(({ path }) => path);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('holds what a user needs', () => {
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'],
        ...['dist/src/index.js', 'dist/src/index.d.ts', 'dist/src/cli/main.js'],
        ...KERNELS.map((name) => `dist/wasm/${name}.wasm`),
        ...['index.html', 'main.js'].map((name) => `dist/src/server/dashboard/page/${name}`),
      ]),
    );
  });

  test('holds nothing else: no tests, data, results or sources', () => {
    const shipped = [
      /^(package\.json|LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md)$/,
      /^dist\/(src|bench|datasets)\/[\w/-]+\.(js|d\.ts)$/,
      /^dist\/wasm\/[\w-]+\.wasm$/,
      /^dist\/src\/server\/dashboard\/page\/(index\.html|style\.css|icon\.svg)$/,
      /^bench\/suites\/[\w-]+\.json$/,
    ];
    expect(paths.filter((path) => !shipped.some((form) => form.test(path)))).toEqual([]);
  });

  // A module that was removed stays in dist until a build starts from an empty folder.
  test('holds no module or kernel whose source is gone', () => {
    const modules = paths.filter((path) => /^dist\/.*\.(js|d\.ts)$/.test(path));
    const sourceOf = (path: string) => path.replace(/^dist\//, '').replace(/\.(js|d\.ts)$/, '.ts');
    expect(modules.filter((path) => !existsSync(join(ROOT, sourceOf(path))))).toEqual([]);
    const kernels = paths.filter((path) => path.endsWith('.wasm'));
    expect(kernels.length).toBe(KERNELS.length);
  });

  test(`is at most ${UNPACKED_BYTES_MAX / 1e6} MB unpacked`, () => {
    expect(tarball.unpackedSize).toBeGreaterThan(0);
    expect(tarball.unpackedSize).toBeLessThanOrEqual(UNPACKED_BYTES_MAX);
  });

  test('names no folder of the machine that built it', () => {
    const folders = [`${ROOT}/`, `${homedir()}/`];
    const guilty = paths.filter((path) => {
      const text = readFileSync(join(ROOT, path), 'latin1');
      return folders.some((name) => text.includes(name));
    });
    expect(guilty).toEqual([]);
  });
});

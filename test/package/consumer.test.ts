import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from './command.js';
import { readmePrograms } from './readme.js';
import { emptyFolder, packTarball, ROOT } from './tarball.js';

/** Compiler options of a careful user: nothing of ours leans on skipLibCheck or on the DOM. */
const COMPILER_OPTIONS = {
  target: 'es2022',
  lib: ['es2022'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules', '@types')],
  outDir: 'out',
};

const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
/** Texts whose programs a user may paste. */
const TEXTS = [
  ...['README.md', 'docs/collections.md', 'docs/durability.md'],
  ...['docs/server.md', 'docs/kv-cache.md', 'docs/advisor.md'],
];
const programs = TEXTS.flatMap((text) => readmePrograms(readFileSync(join(ROOT, text), 'utf8')));

describe('in a project of a user', () => {
  const project = emptyFolder('consumer');
  const node = (...args: string[]) => run(process.execPath, args, { cwd: project });

  beforeAll(async () => {
    const tarball = await packTarball(project);
    const manifest = { name: 'consumer', private: true, type: 'module' };
    writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
    const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, tarball.path], { cwd: project });
    // What a user installs beside it, already compiled.
    for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path', 'fastify']) {
      symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
    }
  });

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('the texts have programs', () => {
    expect(programs.length).toBeGreaterThan(0);
  });

  test('the programs of the texts compile', async () => {
    const files = programs.map((_, i) => `readme-${i + 1}.ts`);
    for (const [i, file] of files.entries()) writeFileSync(join(project, file), programs[i]!);
    const config = { compilerOptions: COMPILER_OPTIONS, files };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
    await node(TSC, '-p', project);
  });

  test.each(
    programs.map((program, i) => ({ program, number: i + 1 })),
  )('program $number of the texts runs', async ({ number }) => {
    await node(`out/readme-${number}.js`);
  });

  // Node 22.12 and the last releases of 20 load ECMAScript modules with require().
  test.skipIf((process.features as { require_module?: boolean }).require_module !== true)(
    'CommonJS can require it',
    async () => {
      const code = "process.stdout.write(typeof require('leandex').LeanIndex.build)";
      const { stdout } = await node('--input-type=commonjs', '-e', code);
      expect(stdout).toBe('function');
    },
  );

  test('the installed command gives its version and its help', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const leandex = (flag: string) => run('npx', ['leandex', flag], { cwd: project });
    expect((await leandex('--version')).stdout.trim()).toBe(version);
    expect((await leandex('--help')).stdout).toMatch(/^Usage: leandex .*quickstart/s);
  });

  test('the installed command says that the quick-start data is not in the package', async () => {
    const quickstart = run('npx', ['leandex', 'quickstart'], { cwd: project });
    await expect(quickstart).rejects.toThrow(/exit code 1 .*\(NOT_FOUND\)/s);
  });
});

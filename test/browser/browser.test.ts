import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { KernelVariant } from '../../src/index.js';
import { chromiumPath, launchChromium } from './chromium.js';
import { servePage } from './page-server.js';

/** What program() of program.js gives. */
interface Outcome {
  kernel: KernelVariant;
  mode: 'exact' | 'graph';
  byteLength: number;
  sha256: string;
  found: { ids: number[]; scores: number[] };
  foundAfterReading: { ids: number[]; scores: number[] };
}

const execFileAsync = promisify(execFile);

/** The program in a Node of its own, because the kernels are chosen once a process. */
async function inNode(kernel: KernelVariant): Promise<Outcome> {
  const code =
    "import { program } from './program.js';" +
    'process.stdout.write(JSON.stringify(await program()));';
  const { stdout } = await execFileAsync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: import.meta.dirname,
    env: { ...process.env, LEANDEX_KERNEL: kernel },
  });
  return JSON.parse(stdout);
}

/** The program in a page; whatever the page complains about is an error. */
async function inBrowser(executablePath: string): Promise<Outcome> {
  const server = await servePage();
  onTestFinished(() => server.close());
  const browser = await launchChromium(executablePath);
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(server.url);
  // As text: vitest would rewrite an import() inside a function for its own module loader.
  const text = await page.evaluate<string>(
    "import('/test/browser/program.js').then(({ program }) => program()).then(JSON.stringify)",
  );
  expect(complaints).toEqual([]);
  return JSON.parse(text);
}

describe('one seed, one thread', () => {
  const path = chromiumPath();
  let simd: Outcome;
  let relaxed: Outcome;

  beforeAll(async () => {
    simd = await inNode('simd');
    relaxed = await inNode('relaxed-simd');
  });

  test('Node: both kernels give the same index and results, before and after reading', () => {
    expect(simd).toMatchObject({ kernel: 'simd', mode: 'graph' });
    expect(relaxed).toEqual({ ...simd, kernel: 'relaxed-simd' });
    expect(new Set(simd.found.ids).size).toBeGreaterThan(100);
    expect(simd.foundAfterReading).toEqual(simd.found);
  });

  test.skipIf(path === undefined)(
    path === undefined
      ? 'a browser: SKIPPED, no Chromium found; install one or set CHROME_PATH'
      : 'a browser gives the index of Node to the byte, the same ids and the same scores',
    async () => {
      const browser = await inBrowser(path!);
      expect(['simd', 'relaxed-simd']).toContain(browser.kernel);
      expect(browser).toEqual({ ...simd, kernel: browser.kernel });
    },
  );
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Server } from '../../../src/server/index.js';
import { chromiumPath, launchChromium } from '../../browser/chromium.js';
import { call } from '../support.js';
import { BIG_ID, fill, HOSTILE, ODD_NAME, SIZE, serveQuietly } from './support.js';

/** Where pictures of all pages go, for people to look at; none are made without it. */
const PICTURES = process.env.LEANDEX_SCREENSHOTS;
const KEY = 'a-key-of-a-test';
const READING_KEY = 'a-key-that-may-only-read';
const path = chromiumPath();
const title =
  path === undefined
    ? 'the dashboard in a browser: SKIPPED, no Chromium found; install one or set CHROME_PATH'
    : 'the dashboard in a browser';

describe.skipIf(path === undefined)(title, () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  /** What the page asked for elsewhere, and what it complained about. */
  const elsewhere: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await serveQuietly({ apiKey: KEY, readOnlyApiKey: READING_KEY });
    await server.ready;
    await fill(server, { 'api-key': KEY });
    browser = await launchChromium(path!);
    page = await browser.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith(`${server.url}/`)) elsewhere.push(request.url());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(`${server.url}/dashboard`);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close({ graceSeconds: 0 });
  });

  const open = async (hash: string) => {
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
  };

  test('asks for the key, keeps it in the tab, and lists the collections', async () => {
    await page.getByLabel('Key', { exact: true }).fill(KEY);
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByRole('link', { name: 'notes' }).waitFor();
    // The first request had no key; that is all there was to complain about.
    expect(complaints.splice(0).every((one) => one.includes('401'))).toBe(true);
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, '']);
    const row = page.getByRole('row', { name: /notes/ });
    expect(await row.textContent()).toContain('3,001');
    expect(await row.textContent()).toContain('ready');
  });

  test('draws the spectrum and the memory', async () => {
    await page.getByRole('link', { name: 'notes' }).click();
    await page.getByRole('img', { name: /Energy kept by so many dimensions/ }).waitFor();
    await page.getByRole('img', { name: /Memory by part: codes of the traversal/ }).waitFor();
  });

  test('shows payloads as text, whatever is in them', async () => {
    await open('#/c/notes/points');
    await page.locator('.points li').nth(19).waitFor();
    for (let i = 0; i < HOSTILE.length; i++) {
      await page.locator('summary').nth(i).click();
      const shown = await page.locator('.points li').nth(i).locator('pre').textContent();
      expect(JSON.parse(shown!).title).toBe(HOSTILE[i]);
    }
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  test('pages through the points, by a filter too, and keeps ids of 64 bits', async () => {
    const ids = () => page.locator('.id').allTextContents();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('21 to 40 of 3,001').waitFor();
    expect((await ids())[0]).toBe('21');
    await page.getByRole('button', { name: 'Previous' }).click();
    await page.getByText('1 to 20 of 3,001').waitFor();
    expect((await ids())[0]).toBe('1');
    const filter = '{ "must": [{ "key": "lang", "match": { "value": "big" } }] }';
    await page.getByLabel('Filter').fill(filter);
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('1 to 1 of 1').waitFor();
    expect(await ids()).toEqual([BIG_ID]);
    await page.getByLabel('Filter').fill('{');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('The filter is not JSON').waitFor();
  });

  test('deletes a point only after a question', async () => {
    await page.getByLabel('Filter').fill('{ "must": [{ "has_id": [3000] }] }');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('1 to 1 of 1').waitFor();
    await page.locator('summary').click();
    await page.getByRole('button', { name: 'Delete …' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const count = async () => {
      const headers = { 'api-key': KEY };
      const answer = await call(server, 'POST', '/collections/notes/points/count', {}, headers);
      return answer.body.result.count;
    };
    expect(await count()).toBe(3001);
    await page.getByRole('button', { name: 'Delete …' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('No points.').waitFor();
    expect(await count()).toBe(3000);
  });

  test('searches by id, vector and words', async () => {
    await open('#/c/notes/query');
    const search = async (kind: string, query: string) => {
      await page.getByLabel('Look for').selectOption({ label: kind });
      await page.getByLabel('Query', { exact: true }).fill(query);
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByText(/10 in .* on the server/).waitFor();
      const found = await page.locator('summary').allTextContents();
      await page.getByLabel('Query', { exact: true }).fill('');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByText('There is no query.').waitFor();
      return found;
    };
    const byId = await search('Id of a stored point', '7');
    expect(byId).toHaveLength(10);
    expect(byId.some((text) => text.startsWith('7'))).toBe(byId.some((text) => /^7\d/.test(text)));
    const vector = `[${new Array(SIZE).fill(0.5).join()}]`;
    expect((await search('Vector (JSON)', vector))[0]).toContain(BIG_ID);
    const byWords = await search('Words', 'harbours');
    expect(byWords.every((text) => text.includes('harbours'))).toBe(true);
  });

  test('measures recall against ef, which is whole for a large one', async () => {
    await open('#/c/notes/recall');
    await page.getByLabel('Queries').fill('40');
    await page.getByLabel('ef').fill('10, 1000');
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByRole('img', { name: /Recall at 10 against ef, 40 stored points/ }).waitFor();
    const cells = await page
      .getByRole('row', { name: /^1000/ })
      .getByRole('cell')
      .allTextContents();
    expect(Number.parseFloat(cells[1]!)).toBeGreaterThan(95);
  });

  test('draws live metrics', async () => {
    await open('#/live');
    await page.getByRole('img', { name: 'Memory' }).waitFor();
    await page
      .getByRole('cell', { name: 'POST /collections/{collection_name}/points/query', exact: true })
      .waitFor();
  });

  test('deletes a collection only where its name was typed', async () => {
    await open('#/c/empty/overview');
    await page.getByRole('button', { name: 'Delete collection …' }).click();
    const remove = page.getByRole('button', { name: 'Delete it' });
    expect(await remove.isDisabled()).toBe(true);
    await page.getByLabel('Type empty to go on').fill('empty');
    await remove.click();
    await page.getByText('2 in this folder').waitFor();
  });

  test('shows collections of any name, with several vectors a point and sparse ones', async () => {
    await page.getByRole('link', { name: ODD_NAME }).click();
    await page.getByRole('heading', { name: ODD_NAME }).waitFor();
    await page.getByRole('img', { name: /Energy kept .* tokens, 4 vectors/ }).waitFor();
    await page.getByRole('region', { name: 'Sparse vectors' }).waitFor();
    await page.getByRole('link', { name: 'Query' }).click();
    await page.getByLabel('Look for').selectOption({ label: 'Vector (JSON)' });
    for (const [name, query] of [
      ['tokens', '[[1, 0]]'],
      ['words', '{ "indices": [3], "values": [2] }'],
    ] as const) {
      await page.getByLabel('Vector', { exact: true }).selectOption(name);
      await page.getByLabel('Query', { exact: true }).fill(query);
      await page.getByRole('button', { name: 'Search' }).click();
      await page
        .getByText(name === 'tokens' ? '1' : '2', { exact: true })
        .first()
        .waitFor();
      expect(await page.locator('.points li').count()).toBe(2);
    }
  });

  test('the keyboard gets past the head of the page', async () => {
    await open('#/');
    await page.getByText('in this folder').waitFor();
    await page.reload();
    await page.getByText('in this folder').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => [document.activeElement?.id, location.hash])).toEqual([
      'main',
      '#/',
    ]);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Collection' }).waitFor();
  });

  test('asked for nothing elsewhere, and broke no rule of its policy', () => {
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('asks again for a wrong key, and tells what a key may not do', async () => {
    const useKey = async (key: string) => {
      await page.getByLabel('Key', { exact: true }).fill(key);
      await page.getByRole('button', { name: 'Use it' }).click();
    };
    await page.getByRole('button', { name: 'API key' }).click();
    await useKey('a-wrong-key');
    await page.getByText('Invalid API key or JWT').waitFor();
    await useKey(READING_KEY);
    await open('#/c/notes/overview');
    await page.getByRole('button', { name: 'Optimize …' }).click();
    await page.getByRole('button', { name: 'Optimize', exact: true }).click();
    await page.getByText('this key may only read').waitFor();
    await page.getByRole('button', { name: 'API key' }).click();
    await useKey(KEY);
    await page.getByText('ready').waitFor();
  });

  test.skipIf(PICTURES === undefined)('pictures for people', async () => {
    mkdirSync(PICTURES!, { recursive: true });
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 380]) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await takePictures(page, open, `${colorScheme}-${width}`);
      }
    }
  });
});

async function takePictures(
  page: Page,
  open: (hash: string) => Promise<void>,
  suffix: string,
): Promise<void> {
  const take = (name: string) =>
    page.screenshot({ path: join(PICTURES!, `${name}-${suffix}.png`), fullPage: true });
  await open('#/');
  await page.getByText('in this folder').waitFor();
  await take('collections');
  await open('#/c/notes/overview');
  await page.getByRole('img', { name: /Energy kept/ }).waitFor();
  await take('overview');
  await page.getByRole('button', { name: 'Delete collection …' }).click();
  await take('dialog');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await open('#/c/notes/points');
  await page.locator('summary').first().click();
  await take('points');
  await open('#/c/notes/query');
  await page.getByLabel('Query', { exact: true }).fill('7');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText(/on the server/).waitFor();
  await take('query');
  await open('#/c/notes/recall');
  await page.getByRole('button', { name: 'Measure' }).click();
  await page.getByRole('img', { name: /Recall at/ }).waitFor();
  await take('recall');
  await open('#/live');
  // Two states make a line.
  await page.locator('polyline[points*=" "]').first().waitFor({ state: 'attached' });
  await take('live');
}

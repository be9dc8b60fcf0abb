import { expect, test } from 'vitest';
import { ENDPOINTS } from '../../src/server/endpoints.js';
import { DOCUMENT, expectDocumented } from './documented.js';
import { call, serveHere } from './support.js';

test('the document is that of the endpoints', async () => {
  const server = await serveHere();
  const { body } = await call(server, 'GET', '/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.paths)).toEqual(Object.keys(DOCUMENT.paths));
  const operations = Object.values(body.paths).flatMap((path) => Object.keys(path as object));
  expect(operations).toHaveLength(ENDPOINTS.length);
});

test('every reference leads somewhere', () => {
  const text = JSON.stringify(DOCUMENT);
  const { components } = DOCUMENT as unknown as { components: { schemas: object } };
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    expect(Object.keys(components.schemas)).toContain(name);
  }
});

test('the checker finds an answer that is not as documented', () => {
  const url = 'http://x/collections/a/points/count';
  const good = { result: { count: 1 }, status: 'ok', time: 0.1 };
  expectDocumented('POST', url, 200, good);
  for (const bad of [
    { ...good, result: {} },
    { ...good, result: { count: 1, more: 1 } },
    { ...good, status: 'fine' },
    { result: { count: 1 }, status: 'ok' },
  ]) {
    expect(() => expectDocumented('POST', url, 200, bad)).toThrow();
  }
  expect(() => expectDocumented('GET', 'http://x/nowhere', 200, {})).toThrow();
});

import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { dashboardFiles } from '../../../src/server/dashboard/files.js';
import { call, emptyFolder, serveHere } from '../support.js';

const KEY = 'a-key-of-a-test';
/** All of it together, before any compression. */
const BYTES_MAX = 80_000;
/** Namespaces of XML are names, and nothing is fetched from there. */
const NAMESPACE = 'http://www.w3.org/2000/svg';

const texts = Array.from(await dashboardFiles(), ([name, bytes]) => [name, String(bytes)] as const);

test('the page is served with its policy, and asks for no key', async () => {
  const server = await serveHere({ apiKey: KEY });
  for (const path of ['/dashboard', '/dashboard/']) {
    const { status, headers, text } = await call(server, 'GET', path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(text).toContain('<title>leandex</title>');
    const policy = headers.get('content-security-policy')!.split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:|data:|blob:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
});

test('every file is served as what it is, none of them with data', async () => {
  const server = await serveHere({ apiKey: KEY });
  const types: Record<string, string> = {
    css: 'text/css; charset=utf-8',
    html: 'text/html; charset=utf-8',
    js: 'text/javascript; charset=utf-8',
    svg: 'image/svg+xml',
  };
  for (const [name, text] of texts) {
    const answer = await call(server, 'GET', `/dashboard/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(types[name.split('.').at(-1)!]);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(answer.text).toBe(text);
  }
  expect((await call(server, 'GET', '/collections')).status).toBe(401);
});

test('nothing else is served, by whatever path', async () => {
  const server = await serveHere();
  const names = [
    ...['package.json', 'main.d.ts', 'main.js%00', 'page%2fmain.js', '__proto__', 'page'],
    ...['..%2ffiles.js', '%2e%2e%2ffiles.js', '..%5cfiles.js', '%2fetc%2fpasswd', 'MAIN.JS'],
  ];
  for (const name of names) {
    expect((await call(server, 'GET', `/dashboard/${name}`)).status, name).toBe(404);
  }
});

test('a page in a browser does not get it by another name', async () => {
  const server = await serveHere({}, emptyFolder());
  const { request } = await import('node:http');
  const { hostname, port } = new URL(server.url);
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'evil.example' };
    const sent = request({ hostname, port, path: '/dashboard', headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject).end();
  });
  expect(status).toBe(403);
});

test('no file names an address elsewhere', () => {
  expect(texts.length).toBeGreaterThan(5);
  for (const [name, text] of texts) {
    const rest = text.replaceAll(NAMESPACE, '');
    expect(
      rest.match(/(https?|wss?|ftp|data|blob):[^\s'"`]*|["'`(]\/\/\w[^\s]*/g),
      name,
    ).toBeNull();
  }
});

test('nothing parses text as HTML, or runs it', () => {
  const doors =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\b|new Function|srcdoc|localStorage|document\.cookie/;
  for (const [name, text] of texts) expect(text.match(doors), name).toBeNull();
});

test('the page has no script, style or handler in itself', () => {
  const page = texts.find(([name]) => name === 'index.html')![1];
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/);
  expect(page.match(/<script[^>]*>[^<]/)).toBeNull();
});

test('what files refer to is there', () => {
  const names = new Set(texts.map(([name]) => name));
  for (const [name, text] of texts) {
    const paths = text.matchAll(/(?:from\s+|import\s+|(?:src|href)=)["'](\.{0,2}\/[^'"#]+)["']/g);
    for (const [, path] of paths) {
      const target = posix.relative('/dashboard', posix.resolve('/dashboard', path!));
      expect([...names], `${name} refers to ${path}`).toContain(target);
    }
  }
});

test('it is small', () => {
  const bytes = texts.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
  expect(bytes).toBeLessThan(BYTES_MAX);
});

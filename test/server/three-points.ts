import { beforeEach, expect } from 'vitest';
import type { Server } from '../../src/server/index.js';
import { type Answer, call, serveHere } from './support.js';

export const POINTS = '/collections/a/points';
export const UUID = '936da01f-9abd-4d9d-80c7-02af85c822a8';
/** The largest id. */
export const BIG = 2n ** 64n - 1n;

export const idsOf = ({ body }: Answer) => body.result.points.map(({ id }: { id: unknown }) => id);

/** Before each test a server with a collection of three points, and requests about them. */
export function servePoints() {
  let server: Server;
  beforeEach(async () => {
    server = await serveHere();
    const vectors = { size: 2, distance: 'Dot' };
    expect((await call(server, 'PUT', '/collections/a', { vectors })).status).toBe(200);
    const points = [
      { id: 1, vector: [1, 0], payload: { n: 1, tags: ['x', 'y'] } },
      { id: 2, vector: [0, 1], payload: { n: 2 } },
      { id: UUID, vector: [1, 1] },
    ];
    expect((await call(server, 'PUT', `${POINTS}?wait=true`, { points })).status).toBe(200);
  });
  return {
    url: () => server.url,
    send: (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
      call(server, method, path, body, headers),
    put: (path: string, body: unknown) => call(server, 'PUT', POINTS + path, body),
    post: (path: string, body: unknown) => call(server, 'POST', POINTS + path, body),
  };
}

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Mirror {
  readonly url: string;
  /** Headers of every request, in their order. */
  readonly requests: IncomingMessage[];
  /** Bodies by path; may be changed. */
  readonly files: Map<string, Uint8Array>;
  /** The next response stops after so many bytes and waits for hangUp(). */
  stopAfter: number | undefined;
  /** An answer to a range has no more bytes than these. */
  rangeMost: number;
  /** Of the answers; default the MD5, as S3 has it. */
  etagOf: (body: Uint8Array) => string | undefined;
  /** Ends all connections, whatever was to come. */
  hangUp(): void;
  close(): Promise<void>;
}

/** A server on the loopback interface that gives out files, with ranges and ETags as S3 does. */
export async function startMirror(files: Record<string, Uint8Array>): Promise<Mirror> {
  const server = createServer((request, response) => answer(mirror, request, response));
  const mirror: Mirror = {
    url: '',
    requests: [],
    files: new Map(Object.entries(files)),
    stopAfter: undefined,
    rangeMost: Infinity,
    etagOf: md5Of,
    hangUp: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(mirror, { url: `http://127.0.0.1:${port}/sets` });
}

export function md5Of(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}

function answer(mirror: Mirror, request: IncomingMessage, response: ServerResponse): void {
  mirror.requests.push(request);
  const body = mirror.files.get(request.url!.replace('/sets/', ''));
  if (body === undefined) {
    response.writeHead(404).end();
    return;
  }
  const etag = mirror.etagOf(body);
  const quoted = etag === undefined ? undefined : `"${etag}"`;
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const isPart = from > 0 && request.headers['if-range'] === quoted;
  if (isPart && from >= body.length) {
    response.writeHead(416).end();
    return;
  }
  const sent = isPart ? body.subarray(from, from + mirror.rangeMost) : body;
  response.writeHead(isPart ? 206 : 200, {
    'content-length': sent.length,
    ...(quoted !== undefined && { etag: quoted }),
    ...(isPart && { 'content-range': `bytes ${from}-${from + sent.length - 1}/${body.length}` }),
  });
  const { stopAfter } = mirror;
  mirror.stopAfter = undefined;
  if (stopAfter === undefined) response.end(sent);
  else response.write(sent.subarray(0, stopAfter));
}

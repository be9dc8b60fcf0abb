import { Agent, request } from 'node:http';

/** A client that keeps its connections, of the platform's own HTTP. */
export interface Client {
  /** @throws Error unless the answer is 200 */
  send(method: string, path: string, body: string | Uint8Array, type: string): Promise<Buffer>;
  close(): void;
}

export function createClient(url: string): Client {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(url);
  return {
    send: (method, path, body, type) =>
      new Promise((resolve, reject) => {
        const headers = {
          'content-type': type,
          accept: type,
          'content-length': Buffer.byteLength(body),
        };
        const sent = request({ agent, hostname, port, path, method, headers }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            const bytes = Buffer.concat(parts);
            if (answer.statusCode === 200) resolve(bytes);
            else reject(new Error(`${answer.statusCode}: ${bytes.toString()}`));
          });
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

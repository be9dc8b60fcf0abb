import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

/** What the framework alone costs: a body is parsed, and an answer of the same size written. */
const answer = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as object;
const app = fastify({ bodyLimit: 32 * 2 ** 20 });
app.post('/*', async () => answer);
await app.listen({ host: '127.0.0.1', port: 0 });
const { port } = app.server.address() as AddressInfo;
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
process.once('SIGTERM', () => void app.close());

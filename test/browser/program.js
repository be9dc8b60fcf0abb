// What the browser test runs, this same file, in Node and in a browser: Node finds 'leandex' by the
// name of the package that the file is in, the browser by the import map of the page.
import { LeanIndex } from 'leandex';

const COUNT = 3000;
const DIMENSIONS = 64;
const QUERIES = 50;
const K = 10;

/** Numbers in [-1, 1) from a hash of seed and position: the same 24 bits on every engine. */
function vectors(seed, count) {
  const values = new Float32Array(count * DIMENSIONS);
  for (let i = 0; i < values.length; i++) {
    let hash = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
    hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
    hash ^= hash >>> 15;
    values[i] = (hash >> 8) / 0x80_0000;
  }
  return values;
}

/** Builds, searches, writes and reads an index; gives all of it as plain JSON. */
export async function program() {
  const index = await LeanIndex.build(vectors(1, COUNT), { dimensions: DIMENSIONS });
  const queries = vectors(2, QUERIES);
  const bytes = index.toBytes();
  const { kernel, mode } = index.stats();
  return {
    kernel,
    mode,
    byteLength: bytes.byteLength,
    sha256: await sha256(bytes),
    found: plain(await index.searchBatch(queries, K)),
    foundAfterReading: plain(await LeanIndex.fromBytes(bytes).searchBatch(queries, K)),
  };
}

function plain({ ids, scores }) {
  return { ids: Array.from(ids), scores: Array.from(scores) };
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

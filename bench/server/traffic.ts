import { Random } from '../../src/base/random.js';
import type { Client } from './client.js';
import { Ledger } from './ledger.js';

export const DIMENSIONS = 64;
/** Points that one writer has at the most. */
export const IDS_PER_WRITER = 5000;
const POINTS = '/collections/soak/points';
const JSON_TYPE = 'application/json';

/** A lane of requests, one after the other, until the server ends. */
export interface Lane {
  ledger: Ledger | undefined;
  requests: number;
  /** The first of what was not answered 200. */
  errors: string[];
  run(isEnding: () => boolean): Promise<void>;
}

type Step = () => Promise<unknown>;

function laneOf(step: Step, ledger: Ledger | undefined): Lane {
  const lane: Lane = {
    ledger,
    requests: 0,
    errors: [],
    async run(isEnding) {
      for (;;) {
        try {
          await step();
          lane.requests++;
        } catch (error) {
          // A server that ends refuses: what was under way stays unknown.
          if (isEnding()) return;
          lane.errors.push((error as Error).message);
        }
      }
    },
  };
  return lane;
}

const vectorOf = (random: Random) =>
  Array.from({ length: DIMENSIONS }, () => Number((random.uniform() - 0.5).toPrecision(5)));

/** Writes, changes and deletes points of its own range of ids. */
export function writer(client: Client, number: number, seed: number): Lane {
  const random = new Random(seed);
  const ledger = new Ledger();
  const below = (n: number) => Math.floor(random.uniform() * n);
  let version = 0;
  const someIds = (most: number) => [
    ...new Set(
      Array.from(
        { length: 1 + below(most) },
        () => number * IDS_PER_WRITER + below(IDS_PER_WRITER),
      ),
    ),
  ];
  const write = async (ids: number[], state: number | undefined, path: string, body: object) => {
    ledger.begin(new Map(ids.map((id) => [id, state])));
    const method = path === '' ? 'PUT' : 'POST';
    await client.send(method, `${POINTS}${path}?wait=true`, JSON.stringify(body), JSON_TYPE);
    ledger.acknowledge();
  };
  const step = () => {
    const ids = someIds(32);
    if (random.uniform() < 0.2) return write(ids, undefined, '/delete', { points: ids });
    const payload = { version: ++version, group: below(10), words: `w${below(50)} w${below(50)}` };
    const points = ids.map((id) => ({ id, vector: vectorOf(random), payload }));
    return write(ids, payload.version, '', { points });
  };
  return laneOf(step, ledger);
}

/** Reads of every kind in turn. */
export function reader(client: Client, seed: number): Lane {
  const random = new Random(seed);
  const filter = () => ({
    must: [{ key: 'group', match: { value: Math.floor(random.uniform() * 10) } }],
  });
  const kinds: readonly (() => readonly [string, object])[] = [
    () => ['/query', { query: vectorOf(random), limit: 10 }],
    () => ['/query', { query: vectorOf(random), limit: 10, filter: filter(), with_payload: true }],
    () => ['/query/batch', { searches: [1, 2, 3, 4].map(() => ({ query: vectorOf(random) })) }],
    () => ['/query/groups', { query: vectorOf(random), group_by: 'group', limit: 3 }],
    () => ['/scroll', { limit: 50, filter: filter(), with_vector: true }],
    () => ['/count', { filter: filter() }],
    () => ['', { ids: [1, 2, 3].map(() => Math.floor(random.uniform() * IDS_PER_WRITER)) }],
  ];
  let i = 0;
  return laneOf(() => {
    const [path, body] = kinds[i++ % kinds.length]!();
    return client.send('POST', POINTS + path, JSON.stringify(body), JSON_TYPE);
  }, undefined);
}

/** All points by id, with the versions of their payloads. */
export async function allVersions(client: Client): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  let offset: number | null = 0;
  while (offset !== null) {
    const body: string = JSON.stringify({ limit: 5000, offset });
    const text = (await client.send('POST', `${POINTS}/scroll`, body, JSON_TYPE)).toString();
    const { result } = JSON.parse(text) as {
      result: {
        points: { id: number; payload: { version: number } }[];
        next_page_offset: number | null;
      };
    };
    for (const { id, payload } of result.points) found.set(id, payload.version);
    offset = result.next_page_offset;
  }
  return found;
}

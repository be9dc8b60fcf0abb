import { runSteps } from '../base/steps.js';
import { spectrumSteps } from '../eval/spectrum.js';
import { Kernels } from '../kernels/index.js';
import { type Call, endpoint, type ServerContext } from './endpoint.js';
import { unsupported } from './errors.js';
import { onlyVector } from './qdrant/records.js';
import { rowsOf, sampleIds } from './qdrant/scan.js';
import { normalised } from './qdrant/similarity.js';
import { knownName } from './qdrant/unnamed.js';
import { array, integer, object, string } from './schema.js';

/** Vectors that are read where the request does not say how many, and at the most. */
const SAMPLE = 1000;
const SAMPLE_PATTERN = '^([1-9]\\d{0,2}|[1-3]\\d{3}|40[0-8]\\d|409[0-6])$';

interface SpectrumQuery {
  using?: string | null;
  sample?: string | null;
}

/** Of a random sample of the points that have the vector. */
async function spectrumOf(
  { catalog }: ServerContext,
  { params, query, signal }: Call<SpectrumQuery>,
): Promise<{ dimensions: number; sampled: number; energyKept: number[] }> {
  const served = await catalog.find(params.collection_name!);
  const { collection } = served;
  const name = knownName(query.using ?? '', served);
  const field = (await collection.info()).vectors[name];
  if (field === undefined) throw unsupported(`using ${name}`, 'sparse vectors have no spectrum');
  const filter = { must: [{ has_vector: name }] };
  const count = Number(query.sample ?? SAMPLE);
  const ids = await sampleIds(collection, { filter, count, signal });
  const records = await collection.retrieve(ids, onlyVector(name));
  const vectors = records.flatMap((record) => rowsOf(record, name) ?? []);
  const { size: dimensions, distance } = field;
  const rows = firstRows(vectors, dimensions, count);
  // Of angles only directions count.
  if (distance === 'Cosine') makeUnit(rows, dimensions);
  const sampled = rows.length / dimensions;
  if (sampled === 0) return { dimensions, sampled, energyKept: [] };
  const steps = spectrumSteps(new Kernels(), rows, dimensions, { components: dimensions });
  const { energy } = await runSteps(steps, { signal });
  return { dimensions, sampled, energyKept: Array.from(energy) };
}

/** The rows of some points, each one or several, one after another; no more than so many. */
function firstRows(vectors: readonly Float32Array[], dimensions: number, most: number) {
  const length = vectors.reduce((sum, vector) => sum + vector.length, 0);
  const rows = new Float32Array(Math.min(length, most * dimensions));
  let at = 0;
  for (const vector of vectors) {
    if (at === rows.length) break;
    const part = vector.subarray(0, rows.length - at);
    rows.set(part, at);
    at += part.length;
  }
  return rows;
}

function makeUnit(rows: Float32Array, dimensions: number): void {
  for (let from = 0; from < rows.length; from += dimensions) {
    rows.set(normalised(rows.subarray(from, from + dimensions)), from);
  }
}

export const spectrum = endpoint({
  method: 'GET',
  path: '/v1/collections/{collection_name}/spectrum',
  summary:
    'The share of the energy of a sample of vectors that 1, 2, 3 … of their principal components keep',
  access: 'read',
  envelope: 'bare',
  query: object({}, { using: string(), sample: string({ pattern: SAMPLE_PATTERN }) }),
  result: object({
    dimensions: integer(),
    sampled: integer(),
    energyKept: array({ type: 'number' }),
  }),
  run: spectrumOf,
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KvCacheSet, loadKvCache, SMOLLM2 } from '../datasets/kv-cache.js';
import { packageFolder } from '../datasets/package-folder.js';
import { KvModel } from '../src/kv/model.js';
import { type ContestRow, measureContest, type Variant } from './kv/contest.js';
import { perplexity, sampleStory } from './kv/perplexity.js';
import { plotErrors } from './kv/plot.js';
import { measurePublished } from './kv/published.js';
import { timeAttend, timeCompress } from './kv/speed.js';
import { loadStories } from './kv/stories.js';
import { currentCommit, describeMachine } from './machine.js';
import { table } from './markdown.js';

/**
 * Compressed KV-caches of real language models: errors of keys, values and attention at equal bytes
 * against other methods, times, and the perplexity of a small model. `npm run bench:kv [part …]`, of
 * published, contest, speed and perplexity; all unless told. Writes bench/results/kv.json and .svg.
 * Names of other caches of SmolLM2 in $LEANDEX_DATASETS, in the form of kv-smollm2-1k, add these to the
 * contest.
 */

const PARTS = ['published', 'contest', 'speed', 'perplexity'] as const;
const isPart = (name: string) => (PARTS as readonly string[]).includes(name);
const given = process.argv.slice(2);
const wanted = given.some(isPart) ? given.filter(isPart) : [...PARTS];
const otherCaches = given.filter((name) => !isPart(name));
const { kvHeads, headDim, rope } = SMOLLM2;

/** Layers that queries are timed on, one after the other. */
const SPEED_LAYERS = 24;

const print = (text: string) => process.stdout.write(`${text}\n`);
const digits = (x: number) => x.toFixed(3);

function published(set: KvCacheSet) {
  const rows = measurePublished(set);
  print('\nAs published, no token exact: relative errors, and those that numpy gave elsewhere\n');
  print(
    table(
      ['method', 'times smaller', 'keys', 'values', 'attention', 'known', 'differs by'],
      rows.map((row) => [
        row.name,
        row.compressionWithBases.toFixed(1),
        ...[row.keys, row.values, row.attention].map(digits),
        row.reference.join(' / '),
        `${(100 * row.difference).toFixed(1)} %`,
      ]),
    ),
  );
  return rows;
}

/** leandex with a basis of other texts and with an own one, for groups of layers and for each. */
async function variantsOf(samples: readonly KvCacheSet[]): Promise<Variant[]> {
  const variants: Variant[] = [];
  for (const [name, group] of [
    ['groups', 'auto'],
    ['each layer', 1],
  ] as const) {
    if (samples.length > 0) {
      const shape = { layers: samples[0].layers, kvHeads, headDim, group };
      const tokens = samples.map(({ keys, values, tokens }) => ({ keys, values, tokens }));
      const model = await KvModel.train(tokens, shape);
      variants.push({ name: `calibrated basis, ${name}`, model, group });
    }
    variants.push({ name: `own basis, ${name}`, model: undefined, group });
  }
  return variants;
}

async function contest(whole: KvCacheSet, short: KvCacheSet, long: KvCacheSet) {
  const runs: [string, KvCacheSet, Variant[]][] = [
    ['kv-smollm2-1k, layers 12-14, calibrated on kv-smollm2-4k', short, await variantsOf([long])],
    ['kv-smollm2-4k, calibrated on kv-smollm2-1k', long, await variantsOf([short])],
    ['kv-smollm2-1k, all layers', whole, await variantsOf([])],
  ];
  for (const name of otherCaches) {
    const others = otherCaches.filter((other) => other !== name);
    const samples = [whole, ...others.map((other) => existing(other))];
    runs.push(
      [
        `${name}, layers 12-14, calibrated on kv-smollm2-4k`,
        existing(name, 12, 15),
        await variantsOf([long]),
      ],
      [
        `${name}, all layers, calibrated on ${samples.map((sample) => sample.name).join(', ')}`,
        existing(name),
        await variantsOf(samples),
      ],
    );
  }
  const results: { run: string; rows: ContestRow[] }[] = [];
  for (const [run, set, variants] of runs) {
    const rows = measureContest(set, variants);
    results.push({ run, rows });
    print(`\n${run}; sinks exact for all\n`);
    print(
      table(
        ['method', 'level', 'times smaller', 'with bases', 'keys', 'values', 'attention'],
        rows.map((row) => [
          row.method,
          ...[row.level, row.compression, row.compressionWithBases].map((x) => x.toFixed(1)),
          ...[row.keys, row.values, row.attention].map(digits),
        ]),
      ),
    );
  }
  return results;
}

function existing(name: string, from?: number, to?: number): KvCacheSet {
  const set = loadKvCache(name, from, to);
  if (set === undefined) throw new Error(`${name} is not a folder of $LEANDEX_DATASETS`);
  return set;
}

async function speed(long: KvCacheSet) {
  const compress = await timeCompress();
  const { layers, width, tokens, milliseconds } = compress;
  print(
    `\n${tokens} tokens of ${layers} layers of ${width} compressed in ${milliseconds.toFixed(0)} ms`,
  );
  // As many layers as a model has, so that nothing stays in the processor's caches from one to the next.
  const repeated = (numbers: Float32Array) =>
    Array.from({ length: SPEED_LAYERS }, (_, i) => {
      const size = numbers.length / long.layers;
      const first = (i % long.layers) * size;
      const rows = new Float32Array(2 * size);
      rows.set(numbers.subarray(first, first + size));
      rows.copyWithin(size, 0, size);
      return rows;
    });
  const [keys, values] = [repeated(long.keys), repeated(long.values)];
  const data = { keys, values, tokens: 2 * long.tokens };
  const rotated = await timeAttend(data, rope);
  const plain = await timeAttend(data, undefined);
  print(`\nOne query against ${data.tokens} tokens of a layer, milliseconds of the processor\n`);
  const row = (name: string, ms: number) => [name, ms.toFixed(2)];
  print(
    table(
      ['', 'ms'],
      [
        row('compressed, keys rotated on the way', rotated.compressed),
        row('compressed, not rotated', plain.compressed),
        row('float32, rotated before', rotated.float32),
      ],
    ),
  );
  return { compress, rotated, plain };
}

async function storyPerplexity() {
  const model = loadStories();
  if (model === undefined) return undefined;
  const { layers, kvHeads, headDim } = model;
  const inputOf = (seed: number) => {
    const { ids, ...tokens } = sampleStory(model, 512, seed);
    return { ids, tokens };
  };
  const { ids, tokens } = inputOf(1);
  const samples = [2, 3, 4].map((seed) => inputOf(seed).tokens);
  const exact = perplexity(model, { ids, ...tokens });
  const rows = [];
  for (const bitsPerNumber of [4, 3, 2, 1]) {
    const trained = await KvModel.train(samples, { layers, kvHeads, headDim, bitsPerNumber });
    const cache = trained.compress(tokens);
    rows.push({ bitsPerNumber, perplexity: perplexity(model, { ids, ...tokens }, cache) });
  }
  print(`\nPerplexity of stories260K on 512 tokens of its own, float32: ${exact.toFixed(4)}\n`);
  print(
    table(
      ['bits a number', 'perplexity', 'more by'],
      rows.map(({ bitsPerNumber, perplexity: found }) => [
        String(bitsPerNumber),
        found.toFixed(4),
        `${(100 * (found / exact - 1)).toFixed(2)} %`,
      ]),
    ),
  );
  return { exact, rows };
}

const whole = loadKvCache('kv-smollm2-1k');
const short = loadKvCache('kv-smollm2-1k', 12, 15);
const long = loadKvCache('kv-smollm2-4k');
if (whole === undefined || short === undefined || long === undefined) {
  print('kv-smollm2-1k and kv-smollm2-4k are not there: skipped');
} else {
  const machine = describeMachine();
  print(JSON.stringify(machine));
  const isWanted = (part: (typeof PARTS)[number]) => wanted.includes(part);
  const result = {
    case: 'kv',
    date: new Date().toISOString(),
    commit: currentCommit(),
    machine,
    published: isWanted('published') ? published(whole) : undefined,
    contest: isWanted('contest') ? await contest(whole, short, long) : undefined,
    speed: isWanted('speed') ? await speed(long) : undefined,
    perplexity: isWanted('perplexity') ? await storyPerplexity() : undefined,
  };
  const folder = join(packageFolder(), 'bench', 'results');
  if (wanted.length === PARTS.length) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'kv.json'), `${JSON.stringify(result, null, 2)}\n`);
    const { rows } = result.contest![0]!;
    const curves = [...new Set(rows.map(({ method }) => method))].map((name) => ({
      name,
      points: rows
        .filter(({ method }) => method === name)
        .map(({ compressionWithBases, attention }) => [compressionWithBases, attention] as const),
    }));
    writeFileSync(join(folder, 'kv.svg'), await plotErrors(result.contest![0]!.run, curves));
  }
}

import { outOfRange } from '../../src/base/errors.js';

export type Layout = 'beir' | 'ann-benchmarks' | 'vectordbbench';

/** A file of a public set; its address is that of the layout's host, or mirror, and the path. */
export interface RemoteFile {
  readonly path: string;
  /** As its publishers give it out. Without one the first download is what later ones must equal. */
  readonly md5?: string;
}

/** A public data set that can be downloaded. Whether its licence allows a use is for the user to see. */
export interface PublicSet {
  /** Also the folder that it lies in afterwards. */
  readonly name: string;
  readonly layout: Layout;
  readonly about: string;
  readonly files: readonly RemoteFile[];
}

export const HOSTS: Readonly<Record<Layout, string>> = {
  beir: 'https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets/',
  'ann-benchmarks': 'https://ann-benchmarks.com/',
  vectordbbench: 'https://assets.zilliz.com/benchmark/',
};

/** MD5 of the archives, from the table of BEIR's README. */
const BEIR = {
  scifact: ['5f7d1de60b170fc8027bb7898e2efca1', '5,183 abstracts, 300 claims'],
  nfcorpus: ['a89dba18a62ef92f7d323ec890a0d38d', '3,633 medical documents, 323 queries'],
  arguana: ['8ad3e3c2a5867cdced806d6503f29b99', '8,674 arguments, 1,406 queries'],
  scidocs: ['38121350fc3a4d2f48850f6aff52e4a9', '25,657 papers, 1,000 queries'],
  fiqa: ['17918ed23cd04fb15047f73e6c3bd9d9', '57,638 financial answers, 648 questions'],
  'trec-covid': ['ce62140cb23feb9becf6270d0d1fe6d1', '171,332 papers, 50 queries'],
  'webis-touche2020': ['46f650ba5a527fc69e0a6521c5a23563', '382,545 arguments, 49 queries'],
  cqadupstack: ['4e41456d7df8ee7760a7f866133bda78', '457,199 questions, 13,145 queries'],
  quora: ['18fb154900ba42a600f84b839c173167', '522,931 questions, 10,000 queries'],
  nq: ['d4d3d2e48787a744b6f6e691ff534307', '2.7 million passages, 3,452 queries'],
  'dbpedia-entity': ['c2a39eb420a3164af735795df012ac2c', '4.6 million entities, 400 queries'],
  hotpotqa: ['f412724f78b0d91183a0e86805e16114', '5.2 million passages, 7,405 queries'],
  fever: ['5a818580227bfb4b35bb6fa46d9b6c03', '5.4 million passages, 6,666 claims'],
  'climate-fever': ['8b66f0a9126c521bae2bde127b4dc99d', '5.4 million passages, 1,535 claims'],
  msmarco: ['444067daf65d982533ea17ebd59501e4', '8.8 million passages, 6,980 queries'],
} as const;

const ANN_BENCHMARKS = {
  'fashion-mnist-784-euclidean': '60,000 x 784',
  'mnist-784-euclidean': '60,000 x 784',
  'sift-128-euclidean': '1,000,000 x 128',
  'gist-960-euclidean': '1,000,000 x 960',
  'glove-25-angular': '1,183,514 x 25',
  'glove-100-angular': '1,183,514 x 100',
  'nytimes-256-angular': '290,000 x 256',
} as const;

const VECTOR_DB_BENCH = {
  openai_small_50k: '50,000 x 1,536, OpenAI on C4',
  openai_medium_500k: '500,000 x 1,536, OpenAI on C4',
  cohere_small_100k: '100,000 x 768, Cohere on Wikipedia',
  cohere_medium_1m: '1,000,000 x 768, Cohere on Wikipedia',
} as const;

export const PUBLIC_SETS: readonly PublicSet[] = [
  ...Object.entries(BEIR).map(([name, [md5, about]]): PublicSet => {
    return { name, layout: 'beir', about, files: [{ path: `${name}.zip`, md5 }] };
  }),
  ...Object.entries(ANN_BENCHMARKS).map(([name, about]): PublicSet => {
    return { name, layout: 'ann-benchmarks', about, files: [{ path: `${name}.hdf5` }] };
  }),
  ...Object.entries(VECTOR_DB_BENCH).map(([name, about]): PublicSet => {
    const files = ['train', 'test', 'neighbors'].map((file) => ({
      path: `${name}/${file}.parquet`,
    }));
    return { name, layout: 'vectordbbench', about, files };
  }),
];

/** @throws RangeError `INVALID_ARGUMENT` for a name that is not in the catalogue. */
export function publicSet(name: string): PublicSet {
  const found = PUBLIC_SETS.find((each) => each.name === name);
  if (found === undefined) {
    const names = PUBLIC_SETS.map((each) => each.name).join(', ');
    throw outOfRange('a data set', `one of ${names}`, name);
  }
  return found;
}

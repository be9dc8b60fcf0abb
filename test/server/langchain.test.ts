import { Document } from '@langchain/core/documents';
import { Embeddings } from '@langchain/core/embeddings';
import { QdrantVectorStore } from '@langchain/qdrant';
import { beforeEach, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Server } from '../../src/server/index.js';
import { serveHere } from './support.js';

const SIZE = 32;

/** Texts that share words are near to each other. */
class WordEmbeddings extends Embeddings {
  constructor() {
    super({});
  }

  embedQuery(text: string): Promise<number[]> {
    const sum = new Float64Array(SIZE);
    for (const word of text.toLowerCase().split(/\W+/).filter(Boolean)) {
      const random = new Random(Array.from(word).reduce((h, c) => h * 31 + c.charCodeAt(0), 7));
      for (let i = 0; i < SIZE; i++) sum[i]! += random.gaussian();
    }
    return Promise.resolve(Array.from(sum));
  }

  embedDocuments(texts: string[]): Promise<number[][]> {
    return Promise.all(texts.map((text) => this.embedQuery(text)));
  }
}

const embeddings = new WordEmbeddings();
const DOCUMENTS = [
  new Document({ pageContent: 'the cat sat on the mat', metadata: { topic: 'pets', n: 1 } }),
  new Document({ pageContent: 'the dog sat on the rug', metadata: { topic: 'pets', n: 2 } }),
  new Document({ pageContent: 'bonds rose as rates fell', metadata: { topic: 'money', n: 3 } }),
  new Document({ pageContent: 'rates rose, bonds fell', metadata: { topic: 'money', n: 4 } }),
];

let server: Server;
let store: QdrantVectorStore;

beforeEach(async () => {
  server = await serveHere();
  store = await QdrantVectorStore.fromDocuments(DOCUMENTS, embeddings, {
    url: server.url,
    collectionName: 'docs',
  });
});

const textsOf = (found: Document[]) => found.map(({ pageContent }) => pageContent);

test('documents are found by what they say, with their metadata', async () => {
  const [best] = await store.similaritySearch('a cat on a mat', 2);
  expect(best).toMatchObject({
    pageContent: 'the cat sat on the mat',
    metadata: { topic: 'pets' },
  });
  const scored = await store.similaritySearchWithScore('bonds and rates', 4);
  const scores = scored.map(([, score]) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
});

test('filters of Qdrant hold', async () => {
  const filter = { must: [{ key: 'metadata.topic', match: { value: 'money' } }] };
  const found = await store.similaritySearch('the cat sat on the mat', 10, filter);
  expect(textsOf(found).sort()).toEqual(['bonds rose as rates fell', 'rates rose, bonds fell']);
});

/** LangChain takes `lambda` for Qdrant's diversity. */
test('results that differ, by maximal marginal relevance', async () => {
  const found = await store.maxMarginalRelevanceSearch('the cat sat on the mat', {
    k: 2,
    fetchK: 4,
    lambda: 0.9,
  });
  const [first, second] = textsOf(found);
  expect(first).toBe('the cat sat on the mat');
  expect(['bonds rose as rates fell', 'rates rose, bonds fell']).toContain(second);
});

test('an existing collection is used, added to and deleted from', async () => {
  const same = await QdrantVectorStore.fromExistingCollection(embeddings, {
    url: server.url,
    collectionName: 'docs',
  });
  await same.addDocuments([new Document({ pageContent: 'a parrot talks', metadata: { n: 5 } })]);
  expect(textsOf(await store.similaritySearch('parrot', 1))).toEqual(['a parrot talks']);
  await same.delete({ filter: { must: [{ key: 'metadata.n', match: { value: 5 } }] } });
  expect(await store.similaritySearch('parrot', 10)).toHaveLength(4);
  const { points } = await store.client.scroll('docs', { limit: 1 });
  await same.delete({ ids: [String(points[0]!.id)] });
  expect(await store.similaritySearch('parrot', 10)).toHaveLength(3);
});

test('as a retriever', async () => {
  const found = await store.asRetriever(1).invoke('dog on a rug');
  expect(textsOf(found)).toEqual(['the dog sat on the rug']);
});

import { advice } from './advice.js';
import { dashboard } from './dashboard/files.js';
import type { Endpoint } from './endpoint.js';
import { native } from './native.js';
import { nativeKv } from './native-kv.js';
import { collections } from './qdrant/collections.js';
import { matrix } from './qdrant/matrix.js';
import { missing } from './qdrant/missing.js';
import { pointReads } from './qdrant/point-reads.js';
import { pointWrites } from './qdrant/point-writes.js';
import { searches } from './qdrant/searches.js';
import { service } from './qdrant/service.js';
import { snapshots } from './qdrant/snapshots.js';
import { spectrum } from './spectrum.js';

/** All that the server answers. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...service,
  ...collections,
  ...pointWrites,
  ...pointReads,
  ...searches,
  ...matrix,
  ...snapshots,
  ...native,
  ...nativeKv,
  spectrum,
  advice,
  ...dashboard,
  ...missing,
];

/** What is used of @zvec/zvec; its own types are there only where it is installed. */
export interface Library {
  readonly ZVecIndexType: Readonly<Record<'HNSW' | 'HNSW_RABITQ' | 'INVERT', number>>;
  readonly ZVecMetricType: { readonly L2: number; readonly IP: number };
  readonly ZVecQuantizeType: { readonly INT8: number };
  readonly ZVecDataType: { readonly VECTOR_FP32: number; readonly BOOL: number };
  readonly ZVecCollectionSchema: new (schema: object) => object;
  ZVecInitialize(options: object): void;
  ZVecCreateAndOpen(path: string, schema: object): Collection;
  ZVecOpen(path: string, options: { readonly readOnly: boolean }): Collection;
}

export interface Collection {
  readonly stats: { readonly docCount: number };
  insertSync(documents: readonly Document[]): readonly Status[];
  upsertSync(documents: readonly Document[]): readonly Status[];
  deleteSync(ids: readonly string[]): readonly Status[];
  optimizeSync(options: { readonly concurrency: number }): void;
  querySync(query: object): readonly { readonly id: string }[];
  query(query: object): Promise<unknown>;
  closeSync(): void;
}

interface Document {
  readonly id: string;
  readonly vectors: Readonly<Record<string, Float32Array>>;
  readonly fields: Readonly<Record<string, boolean>>;
}

export interface Status {
  readonly ok: boolean;
  readonly code: string;
  readonly message: string;
}

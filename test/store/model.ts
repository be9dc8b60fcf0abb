import fc from 'fast-check';
import type { PointId } from '../../src/base/point-id.js';
import type { PayloadChange } from '../../src/filter/change-payload.js';
import {
  type Moved,
  NONE,
  type PayloadsChanged,
  type PointBatch,
  type Removed,
  type StoredField,
  type StoredPoint,
  type Target,
  type UpsertMode,
  type VectorColumn,
  type Written,
} from '../../src/store/types.js';

/** Every kind of id, those at the borders among them. */
export const IDS: readonly PointId[] = [
  0,
  1,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
  '123e4567-e89b-12d3-a456-426614174000',
  '123E4567-E89B-12D3-A456-426614174000',
  '1',
  'é'.repeat(512),
];

export const FIELDS: readonly StoredField[] = [
  { name: 'a', size: 3, originals: 'float32' },
  { name: 'b', size: 2, originals: 'float16' },
  { name: 'c', size: 2, originals: 'float32', multi: true },
];
const NUMBERS = [0, 1, 2];

interface ModelPoint {
  row: number;
  version: number;
  payload: string | null;
  /** All numbers of a field, also where it has several vectors. */
  vectors: (number[] | undefined)[];
}

export type Operation =
  | { kind: 'upsert'; batch: PointBatch; mode: UpsertMode }
  | { kind: 'updateVectors'; ids: PointId[]; columns: VectorColumn[] }
  | { kind: 'deleteVectors'; target: Target; fields: number[] }
  | { kind: 'remove'; target: Target }
  | { kind: 'changePayload'; target: Target; change: PayloadChange }
  | { kind: 'reopen' };

/** What a collection answers; a missing id is told by the ids of the error. */
export type Answer = Written | Moved | Removed | PayloadsChanged | { missing: readonly PointId[] };

/** A collection as a Map, written from its description alone. */
export class Model {
  readonly points = new Map<PointId, ModelPoint>();
  nextRow = 0;
  version = 0;

  /** What an operation is to answer. */
  apply(operation: Exclude<Operation, { kind: 'reopen' }>): Answer {
    const missing = this.missing(operation);
    if (missing.length > 0) return { missing };
    this.version++;
    switch (operation.kind) {
      case 'upsert':
        return this.upsert(operation.batch, operation.mode);
      case 'updateVectors':
        return this.move({ ids: operation.ids }, (place) => vectorsAt(operation.columns, place));
      case 'deleteVectors':
        return this.move(operation.target, () => operation.fields.map((f) => [f, undefined]));
      case 'remove':
        return this.remove(operation.target);
      case 'changePayload':
        return this.changePayload(operation.target, operation.change);
    }
  }

  private missing(operation: Operation): PointId[] {
    const { kind } = operation;
    if (kind === 'updateVectors') return operation.ids.filter((id) => !this.points.has(id));
    if (kind !== 'deleteVectors' && kind !== 'changePayload') return [];
    const { target } = operation;
    return 'ids' in target ? target.ids.filter((id) => !this.points.has(id)) : [];
  }

  private idsOf(target: Target): (PointId | undefined)[] {
    if ('ids' in target) return target.ids.map((id) => (this.points.has(id) ? id : undefined));
    const byRow = new Map([...this.points].map(([id, { row }]) => [row, id]));
    return Array.from(target.rows, (row) => byRow.get(row));
  }

  private upsert({ ids, payloads, columns }: PointBatch, mode: UpsertMode): Written {
    const removed: number[] = [];
    const rows = ids.map((id, place) => {
      const old = this.points.get(id);
      if (mode === 'insert_only' && old !== undefined) return NONE;
      if (mode === 'update_only' && old === undefined) return NONE;
      if (old !== undefined) removed.push(old.row);
      const vectors: ModelPoint['vectors'] = FIELDS.map(() => undefined);
      for (const [field, vector] of vectorsAt(columns, place)) vectors[field] = vector;
      const row = this.nextRow++;
      this.points.set(id, { row, version: this.version, payload: payloads[place]!, vectors });
      return row;
    });
    return {
      version: this.version,
      rows: Uint32Array.from(rows),
      removed: Uint32Array.from(removed),
    };
  }

  private move(
    target: Target,
    changesAt: (place: number) => [number, number[] | undefined][],
  ): Moved {
    const removed: number[] = [];
    const payloads: (string | null)[] = [];
    const carried = FIELDS.map(() => ({ at: [] as number[], vectors: [] as number[][] }));
    const rows = this.idsOf(target).map((id, place) => {
      const point = id === undefined ? undefined : this.points.get(id);
      payloads.push(null);
      if (point === undefined) return NONE;
      const changes = new Map(changesAt(place));
      const differs = [...changes].some(
        ([f, v]) => v !== undefined || point.vectors[f] !== undefined,
      );
      if (!differs) return NONE;
      removed.push(point.row);
      payloads[place] = point.payload;
      point.vectors.forEach((vector, field) => {
        if (vector === undefined || changes.has(field)) return;
        carried[field]!.at.push(place);
        carried[field]!.vectors.push(vector);
      });
      for (const [field, vector] of changes) point.vectors[field] = vector;
      point.version = this.version;
      point.row = this.nextRow++;
      return point.row;
    });
    return {
      version: this.version,
      rows: Uint32Array.from(rows),
      removed: Uint32Array.from(removed),
      payloads,
      carried: carried.flatMap(({ at, vectors }, field) =>
        at.length === 0 ? [] : [{ ...columnWith(field, vectors), at: Uint32Array.from(at) }],
      ),
    };
  }

  private remove(target: Target): Removed {
    const removed: number[] = [];
    for (const id of this.idsOf(target)) {
      if (id === undefined) continue;
      removed.push(this.points.get(id)!.row);
      this.points.delete(id);
    }
    return { version: this.version, removed: Uint32Array.from(removed) };
  }

  private changePayload(target: Target, change: PayloadChange): PayloadsChanged {
    const found = this.idsOf(target).filter((id) => id !== undefined);
    const rows: number[] = [];
    const before: (string | null)[] = [];
    const after: (string | null)[] = [];
    for (const id of found) {
      const point = this.points.get(id)!;
      rows.push(point.row);
      before.push(point.payload);
      if (change.kind === 'clear') point.payload = null;
      else if (change.kind === 'overwrite') point.payload = JSON.stringify(change.payload);
      else throw new Error(`the model knows nothing of ${change.kind}`);
      point.version = this.version;
      after.push(point.payload);
    }
    return { version: this.version, rows: Uint32Array.from(rows), before, after };
  }

  /** Everything there is, by row. */
  all(): StoredPoint[] {
    return [...this.points]
      .map(([id, { row, version, payload, vectors }]) => ({
        row,
        id,
        version,
        payload,
        vectors: vectors.map((vector) => vector && Float32Array.from(vector)),
      }))
      .sort((a, b) => a.row - b.row);
  }
}

function vectorsAt(columns: readonly VectorColumn[], place: number): [number, number[]][] {
  return columns.flatMap(({ field, vectors, offsets, at }) => {
    const i = at === undefined ? place : at.indexOf(place);
    if (i < 0) return [];
    const { size } = FIELDS[field]!;
    const [from, to] = [offsets?.[i] ?? i, offsets?.[i + 1] ?? i + 1];
    return [[field, [...vectors.subarray(from * size, to * size)]] as [number, number[]]];
  });
}

/** A column of what each of some points has. */
function columnWith(field: number, points: readonly number[][]): VectorColumn {
  const { size, multi } = FIELDS[field]!;
  const vectors = Float32Array.from(points.flat());
  if (!multi) return { field, vectors };
  let end = 0;
  const ends = points.map(({ length }) => {
    end += length / size;
    return end;
  });
  return { field, vectors, offsets: Uint32Array.of(0, ...ends) };
}

const ids = fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 0, maxLength: 5 });
const rows = fc.uniqueArray(fc.nat(30), { maxLength: 6 }).map((some) => Uint32Array.from(some));
const target: fc.Arbitrary<Target> = fc.oneof(
  ids.map((some) => ({ ids: some })),
  rows.map((some) => ({ rows: some })),
);
/** Small whole numbers, which binary16 holds exactly. */
const numbers = (length: number) =>
  fc.array(fc.integer({ min: -2048, max: 2048 }), { minLength: length, maxLength: length });
/** What one point has in a field. */
const pointIn = ({ size, multi }: StoredField) =>
  multi ? fc.integer({ min: 1, max: 4 }).chain((n) => numbers(n * size)) : numbers(size);

function columnOf(field: number, count: number): fc.Arbitrary<VectorColumn> {
  const points = (length: number) =>
    fc
      .array(pointIn(FIELDS[field]!), { minLength: length, maxLength: length })
      .map((some) => columnWith(field, some));
  const places = fc.subarray(Array.from({ length: count }, (_, i) => i));
  return fc.oneof(
    points(count),
    places.chain((some) =>
      points(some.length).map((column) => ({ ...column, at: Uint32Array.from(some) })),
    ),
  );
}

const columns = (count: number) =>
  fc
    .subarray(NUMBERS)
    .chain((fields) => fc.tuple(...fields.map((field) => columnOf(field, count))));

const payload = fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()));

const upsert = ids.chain((some) =>
  fc.record({
    kind: fc.constant('upsert' as const),
    mode: fc.constantFrom<UpsertMode>('upsert', 'upsert', 'insert_only', 'update_only'),
    batch: fc.record({
      ids: fc.constant(some),
      payloads: fc.array(fc.option(payload.map((one) => JSON.stringify(one))), {
        minLength: some.length,
        maxLength: some.length,
      }),
      columns: columns(some.length),
    }),
  }),
);

const updateVectors = ids.chain((some) =>
  fc.record({
    kind: fc.constant('updateVectors' as const),
    ids: fc.constant(some),
    columns: columns(some.length),
  }),
);

const change = fc.oneof(
  fc.constant<PayloadChange>({ kind: 'clear' }),
  payload.map((one): PayloadChange => ({ kind: 'overwrite', payload: one })),
);

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: upsert as fc.Arbitrary<Operation> },
    { weight: 2, arbitrary: updateVectors },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('deleteVectors' as const),
        target,
        fields: fc.subarray(NUMBERS),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), target }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('changePayload' as const), target, change }),
    },
    { weight: 1, arbitrary: fc.constant<Operation>({ kind: 'reopen' }) },
  ),
  { minLength: 1, maxLength: 20, size: 'max' },
);

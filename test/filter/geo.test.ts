import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { Bitmap } from '../../src/filter/bitmap.js';
import { distance, type GeoArea, isInside, placeOf } from '../../src/filter/geo.js';
import { cellOf, codeOf, firstCode, relationOf } from '../../src/filter/geo-cells.js';
import { GeoIndex } from '../../src/filter/geo-index.js';

const berlin = { lon: 13.413637, lat: 52.521976 };

describe('places', () => {
  test.each<[unknown, boolean]>([
    [{ lon: 1, lat: 2 }, true],
    [{ lon: -180, lat: 90, name: 'x' }, true],
    [{ lon: 180.1, lat: 0 }, false],
    [{ lon: 0, lat: -91 }, false],
    [{ lon: '1', lat: 2 }, false],
    [{ lon: 1 }, false],
    [[1, 2], false],
    [null, false],
  ])('%j: %s', (value, isPlace) => {
    expect(placeOf(value) !== undefined).toBe(isPlace);
  });

  test('are as far apart as on a sphere of the mean radius', () => {
    const quarter = (Math.PI / 2) * 6_371_008.8;
    expect(distance(0, 0, 90, 0)).toBeCloseTo(quarter, 6);
    expect(distance(0, 0, 0, 90)).toBeCloseTo(quarter, 6);
    expect(distance(-90, 0, 90, 0)).toBeCloseTo(2 * quarter, 0);
    expect(distance(170, 0, -170, 0)).toBeCloseTo((quarter * 20) / 90, 6);
    // Berlin and Moscow, 1608 km as tables of distances have it.
    expect(distance(13.4, 52.52, 37.62, 55.755) / 1000).toBeCloseTo(1608, -1);
  });
});

const square = (west: number, south: number, east: number, north: number) => [
  ...[west, south, east, south, east, north, west, north, west, south],
];

describe('areas', () => {
  const box: GeoArea = { kind: 'box', west: 10, east: 20, south: 40, north: 50 };
  const pacific: GeoArea = { kind: 'box', west: 170, east: -170, south: -10, north: 10 };
  const circle: GeoArea = { kind: 'circle', ...berlin, radius: 2000 };
  const ringed: GeoArea = {
    kind: 'polygon',
    rings: [square(0, 0, 10, 10), square(4, 4, 6, 6)],
  };
  const notched: GeoArea = {
    kind: 'polygon',
    rings: [[0, 0, 10, 0, 10, 10, 5, 5, 0, 10, 0, 0]],
  };

  test.each<[string, GeoArea, number, number, boolean]>([
    ['in a box', box, 15, 45, true],
    ['on its west edge', box, 10, 45, false],
    ['on its north edge', box, 15, 50, false],
    ['east of it', box, 21, 45, false],
    ['south of it', box, 15, 39, false],
    ['across the antimeridian, west of it', pacific, 175, 0, true],
    ['across the antimeridian, on it', pacific, -180, 0, true],
    ['across the antimeridian, east of it', pacific, -175, 0, true],
    ['not across', pacific, 0, 0, false],
    ['on the edge of one across', pacific, 170, 0, false],
    ['near', circle, 13.42, 52.53, true],
    ['far', circle, 13.5, 52.5, false],
    ['in a polygon', ringed, 2, 2, true],
    ['in its hole', ringed, 5, 5, false],
    ['on the edge of its hole', ringed, 4, 5, false],
    ['at a corner of its hole', ringed, 4, 4, false],
    ['beside the hole, at the height of its corner', ringed, 2, 4, true],
    ['on its edge', ringed, 0, 5, false],
    ['at its corner', ringed, 10, 10, false],
    ['west of it, at the height of a corner', ringed, -5, 10, false],
    ['in a notch', notched, 5, 8, false],
    ['beside the notch', notched, 1, 8, true],
    ['below the notch', notched, 5, 4, true],
  ])('%s', (_, area, lon, lat, expected) => {
    expect(isInside(area, lon, lat)).toBe(expected);
  });

  test('a circle of no radius has no place in it', () => {
    expect(isInside({ kind: 'circle', ...berlin, radius: 0 }, berlin.lon, berlin.lat)).toBe(false);
  });
});

const degrees = (most: number) =>
  fc.oneof(
    fc.double({ min: -most, max: most, noNaN: true }),
    fc.integer({ min: -most, max: most }),
    fc.constantFrom(-most, most, 0),
  );
const place = fc.record({ lon: degrees(180), lat: degrees(90) });
const area: fc.Arbitrary<GeoArea> = fc.oneof(
  fc.tuple(place, place).map(([a, b]): GeoArea => {
    return { kind: 'box', west: a.lon, east: b.lon, south: Math.min(a.lat, b.lat), north: a.lat };
  }),
  fc.record({
    kind: fc.constant('circle' as const),
    lon: degrees(180),
    lat: degrees(90),
    radius: fc.oneof(
      fc.constantFrom(0, 1e3, 1e5, 2.1e7),
      fc.double({ min: 0, max: 2e7, noNaN: true }),
    ),
  }),
  fc.array(fc.array(place, { minLength: 3, maxLength: 6 }), { minLength: 1, maxLength: 2 }).map(
    (rings): GeoArea => ({
      kind: 'polygon',
      rings: rings.map((ring) => [...ring, ring[0]!].flatMap(({ lon, lat }) => [lon, lat])),
    }),
  ),
);

describe('cells', () => {
  test('contain their places, and have their codes together', () => {
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 26 }), ({ lon, lat }, level) => {
        const code = codeOf(lon, lat);
        const deepest = cellOf(code);
        const scale = 2 ** (26 - level);
        const cell = { level, x: Math.floor(deepest.x / scale), y: Math.floor(deepest.y / scale) };
        expect(code).toBeGreaterThanOrEqual(firstCode(cell));
        expect(code).toBeLessThan(firstCode(cell) + 4 ** (26 - level));
        const width = 360 / 2 ** 26;
        expect(Math.abs((deepest.x + 0.5) * width - 180 - lon)).toBeLessThan(0.51 * width);
        expect(Math.abs((deepest.y + 0.5) * (width / 2) - 90 - lat)).toBeLessThan(0.51 * width);
      }),
      { seed: 12, numRuns: 2000 },
    );
  });

  test('within an area or outside of it have no place that is not', () => {
    fc.assert(
      fc.property(area, place, fc.integer({ min: 0, max: 26 }), (area, { lon, lat }, level) => {
        const { x, y } = cellOf(codeOf(lon, lat));
        const scale = 2 ** (26 - level);
        const cell = { level, x: Math.floor(x / scale), y: Math.floor(y / scale) };
        const relation = relationOf(area, cell);
        if (relation !== 'across') expect(isInside(area, lon, lat)).toBe(relation === 'within');
      }),
      { seed: 13, numRuns: 20_000 },
    );
  });
});

describe('the index of places', () => {
  test('finds those in an area, and is unsure of hardly any', () => {
    let unsureCount = 0;
    fc.assert(
      fc.property(
        area,
        fc.array(fc.array(place, { maxLength: 2 }), { maxLength: 80 }),
        (area, rows) => {
          const index = new GeoIndex();
          for (const [row, places] of rows.entries()) {
            for (const one of places) index.add(index.keyOf(one)!, row);
          }
          const found = index.find({ kind: 'geo', area })!;
          const unsure = found.unsure instanceof Bitmap ? found.unsure : Bitmap.empty();
          const expected = [...rows.keys()].filter((row) =>
            rows[row]!.some(({ lon, lat }) => isInside(area, lon, lat)),
          );
          const sure = found.rows.andNot(unsure);
          expect(expected.filter((row) => !found.rows.has(row))).toEqual([]);
          expect([...sure.toUint32Array()].filter((row) => !expected.includes(row))).toEqual([]);
          unsureCount += unsure.size;
          for (const bitmap of [found.rows, unsure, sure]) bitmap.dispose();
        },
      ),
      { seed: 14, numRuns: 500 },
    );
    // Some are on the very edges: those at round degrees.
    expect(unsureCount).toBeLessThan(1000);
  });

  test('is sure of a row with one place inside, whatever the others are', () => {
    const index = new GeoIndex();
    for (const lon of [10, 15]) index.add(index.keyOf({ lon, lat: 45 })!, 3);
    const area: GeoArea = { kind: 'box', west: 10, east: 20, south: 40, north: 50 };
    const { rows, unsure } = index.find({ kind: 'geo', area })!;
    expect([[...rows.toUint32Array()], unsure]).toEqual([[3], 'none']);
  });

  test.each<[string, GeoArea]>([
    [
      'a box across the antimeridian',
      { kind: 'box', west: 170, east: -170, south: -10, north: 10 },
    ],
    ['a circle there', { kind: 'circle', lon: 180, lat: 0, radius: 1e6 }],
    ['a slanting polygon', { kind: 'polygon', rings: [[-180, -9, 180, -9, 180, 80, -180, -9]] }],
  ])('is sure of %s', (_, area) => {
    const index = new GeoIndex();
    for (const [row, lon] of [175, -175, 0, 179.9].entries()) {
      index.add(index.keyOf({ lon, lat: 1 })!, row);
    }
    const { rows, unsure } = index.find({ kind: 'geo', area })!;
    const inside = [175, -175, 0, 179.9].flatMap((lon, row) =>
      isInside(area, lon, 1) ? [row] : [],
    );
    expect([[...rows.toUint32Array()], unsure]).toEqual([inside, 'none']);
  });

  test('does not go on for ever where all places are the same one', () => {
    const index = new GeoIndex();
    const edge = index.keyOf({ lon: 10, lat: 45 })!;
    for (let row = 0; row < 10_000; row++) index.add(edge, row);
    const found = index.find({
      kind: 'geo',
      area: { kind: 'box', west: 10, east: 20, south: 40, north: 50 },
    })!;
    expect(found.rows.size).toBe(10_000);
    expect((found.unsure as Bitmap).size).toBe(10_000);
    drain(index.forget(found.rows));
    expect(
      index.find({ kind: 'geo', area: { kind: 'circle', ...berlin, radius: 1e9 } }),
    ).toMatchObject({
      unsure: 'none',
    });
  });
});

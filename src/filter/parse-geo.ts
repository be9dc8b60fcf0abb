import { outOfRange, wrongType } from '../base/errors.js';
import type { GeoArea, Ring } from './geo.js';
import { isObject } from './path.js';

const POINTS_MAX = 4096;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` */
export function parseArea(
  what: string,
  name: 'geo_bounding_box' | 'geo_radius' | 'geo_polygon',
  value: unknown,
): GeoArea {
  if (name === 'geo_bounding_box') {
    const { top_left, bottom_right } = members(what, value, ['top_left', 'bottom_right']);
    const [west, north] = parsePoint(`${what}.top_left`, top_left);
    const [east, south] = parsePoint(`${what}.bottom_right`, bottom_right);
    return { kind: 'box', west, east, south, north };
  }
  if (name === 'geo_radius') {
    const { center, radius } = members(what, value, ['center', 'radius']);
    const [lon, lat] = parsePoint(`${what}.center`, center);
    return { kind: 'circle', lon, lat, radius: parseRadius(`${what}.radius`, radius) };
  }
  const { exterior, interiors } = members(what, value, ['exterior', 'interiors']);
  if (!Array.isArray(interiors ?? [])) throw wrongType(`${what}.interiors`, 'a list', interiors);
  const holes = ((interiors ?? []) as unknown[]).map((ring, i) =>
    parseRing(`${what}.interiors[${i}]`, ring),
  );
  const rings = [parseRing(`${what}.exterior`, exterior), ...holes];
  if (rings.reduce((sum, ring) => sum + ring.length / 2, 0) > POINTS_MAX) {
    throw outOfRange(what, `at most ${POINTS_MAX} points`, 'more');
  }
  return { kind: 'polygon', rings };
}

function members(what: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  if (!isObject(value)) throw wrongType(what, 'an object', value);
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw outOfRange(`a member of ${what}`, known.join(', '), name);
  }
  return value;
}

/** Longitude and latitude. */
function parsePoint(what: string, value: unknown): [number, number] {
  const { lon, lat } = members(what, value, ['lon', 'lat']);
  return [parseDegrees(`${what}.lon`, lon, 180), parseDegrees(`${what}.lat`, lat, 90)];
}

function parseDegrees(what: string, value: unknown, most: number): number {
  if (typeof value !== 'number') throw wrongType(what, 'a number', value);
  if (Math.abs(value) <= most) return value;
  throw outOfRange(what, `from ${-most} to ${most}`, value);
}

function parseRadius(what: string, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(what, 'a number of metres', value);
  if (value >= 0 && value < Infinity) return value;
  throw outOfRange(what, 'a number of metres from 0', value);
}

function parseRing(what: string, value: unknown): Ring {
  const { points } = members(what, value, ['points']);
  if (!Array.isArray(points)) throw wrongType(`${what}.points`, 'a list', points);
  const ring = points.flatMap((point, i) => parsePoint(`${what}.points[${i}]`, point));
  const isClosed = ring[0] === ring.at(-2) && ring[1] === ring.at(-1);
  if (points.length < 4 || !isClosed) {
    throw outOfRange(`${what}.points`, 'at least 4, the last equal to the first', points);
  }
  return ring;
}

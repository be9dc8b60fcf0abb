import { distance, EARTH_RADIUS, type GeoArea, isInside, type Ring } from './geo.js';

/**
 * The Earth in a quadtree: at level L, 2^L columns of longitude and as many rows of latitude. A
 * place's code is its cell at the deepest level, the bits of column and row in turn (Morton, 1966),
 * so that the places of any cell have codes next to each other.
 */
export const DEEPEST_LEVEL = 26;

const SIDE = 2 ** DEEPEST_LEVEL;

/** How many codes there are. */
export const CODES = SIDE * SIDE;

/** Degrees; more than the coordinates of a cell may be off by rounding. */
const MARGIN = 1e-9;

/** Column and row at a level. */
export interface Cell {
  level: number;
  x: number;
  y: number;
}

/** The code of a place, from 0 to 2^52 - 1. */
export function codeOf(lon: number, lat: number): number {
  const [x, y] = [indexOf((lon + 180) / 360), indexOf((lat + 90) / 180)];
  return interleave(x >>> 13, y >>> 13) * SIDE + interleave(x & 0x1fff, y & 0x1fff);
}

function indexOf(share: number): number {
  return Math.min(SIDE - 1, Math.floor(share * SIDE));
}

/** Spreads 13 bits each over 26. */
function interleave(x: number, y: number): number {
  return spread(x) + 2 * spread(y);
}

function spread(bits: number): number {
  let z = bits;
  z = (z | (z << 8)) & 0x00ff00ff;
  z = (z | (z << 4)) & 0x0f0f0f0f;
  z = (z | (z << 2)) & 0x33333333;
  return (z | (z << 1)) & 0x55555555;
}

/** The first code of a cell; it has 4^(26 - level) of them. */
export function firstCode({ level, x, y }: Cell): number {
  const up = 2 ** (DEEPEST_LEVEL - level);
  const [column, row] = [x * up, y * up];
  return interleave(column >>> 13, row >>> 13) * SIDE + interleave(column & 0x1fff, row & 0x1fff);
}

/** The cell of a code at the deepest level. */
export function cellOf(code: number): Cell {
  const [high, low] = [Math.floor(code / SIDE), code % SIDE];
  return {
    level: DEEPEST_LEVEL,
    x: gather(high) * 0x2000 + gather(low),
    y: gather(high >>> 1) * 0x2000 + gather(low >>> 1),
  };
}

function gather(spreadBits: number): number {
  let z = spreadBits & 0x55555555;
  z = (z | (z >>> 1)) & 0x33333333;
  z = (z | (z >>> 2)) & 0x0f0f0f0f;
  z = (z | (z >>> 4)) & 0x00ff00ff;
  return (z | (z >>> 8)) & 0x1fff;
}

/** Degrees. */
interface Box {
  west: number;
  east: number;
  south: number;
  north: number;
}

function boxOf({ level, x, y }: Cell): Box {
  const count = 2 ** level;
  return {
    west: (x / count) * 360 - 180 - MARGIN,
    east: ((x + 1) / count) * 360 - 180 + MARGIN,
    south: (y / count) * 180 - 90 - MARGIN,
    north: ((y + 1) / count) * 180 - 90 + MARGIN,
  };
}

/** Where a cell is: `within` and `outside` are certain, `across` may also be said of these. */
export function relationOf(area: GeoArea, cell: Cell): 'within' | 'outside' | 'across' {
  const box = boxOf(cell);
  switch (area.kind) {
    case 'box':
      return ofBox(area, box);
    case 'circle':
      return ofCircle(area, box);
    case 'polygon': {
      if (area.rings.some((ring) => touches(ring, box))) return 'across';
      const [lon, lat] = [(box.west + box.east) / 2, (box.south + box.north) / 2];
      return isInside(area, lon, lat) ? 'within' : 'outside';
    }
  }
}

function ofBox(area: Extract<GeoArea, { kind: 'box' }>, box: Box) {
  const wraps = area.west > area.east;
  const [isEast, isWest] = [box.west > area.west, box.east < area.east];
  const [isBeforeWest, isPastEast] = [box.east <= area.west, box.west >= area.east];
  const isOut = wraps ? isBeforeWest && isPastEast : isBeforeWest || isPastEast;
  if (isOut || box.north <= area.south || box.south >= area.north) return 'outside';
  const isIn = wraps ? isEast || isWest : isEast && isWest;
  return isIn && box.south > area.south && box.north < area.north ? 'within' : 'across';
}

/** A walk north and then east leads from the centre of a box to any place in it. */
function ofCircle(area: Extract<GeoArea, { kind: 'circle' }>, box: Box) {
  const [lon, lat] = [(box.west + box.east) / 2, (box.south + box.north) / 2];
  const degrees = (box.north - box.south + box.east - box.west) / 2;
  const reach = ((degrees * Math.PI) / 180) * EARTH_RADIUS;
  const away = distance(area.lon, area.lat, lon, lat);
  // A metre covers the rounding of distances between antipodes.
  if (away + reach + 1 < area.radius) return 'within';
  return away - reach - 1 > area.radius ? 'outside' : 'across';
}

/** Whether an edge may pass through a box. */
function touches(ring: Ring, { west, east, south, north }: Box): boolean {
  for (let i = 0; i + 3 < ring.length; i += 2) {
    const [x1, y1, x2, y2] = [ring[i]!, ring[i + 1]!, ring[i + 2]!, ring[i + 3]!];
    if (Math.max(x1, x2) < west || Math.min(x1, x2) > east) continue;
    if (Math.max(y1, y2) < south || Math.min(y1, y2) > north) continue;
    const turn = (x: number, y: number) => (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1);
    const turns = [turn(west, south), turn(east, south), turn(west, north), turn(east, north)];
    // Corners strictly on one side of the line through the edge.
    if (turns.every((t) => t > MARGIN) || turns.every((t) => t < -MARGIN)) continue;
    return true;
  }
  return false;
}

/** A part of the Earth's surface; coordinates in degrees. */
export type GeoArea =
  /** Strictly between the edges; with `west` > `east` across the antimeridian. */
  | { kind: 'box'; west: number; east: number; south: number; north: number }
  /** Nearer to the centre than `radius` metres. */
  | { kind: 'circle'; lon: number; lat: number; radius: number }
  /** Inside the first ring, outside the others, on no edge. */
  | { kind: 'polygon'; rings: readonly Ring[] };

/** Longitudes and latitudes in turn; the last point is the first. */
export type Ring = readonly number[];

/** The mean radius (IUGG), metres. */
export const EARTH_RADIUS = 6_371_008.8;

/** Where a value of a payload is, if it is a place: an object with `lon` and `lat` in range. */
export function placeOf(value: unknown): { lon: number; lat: number } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { lon, lat } = value as { lon?: unknown; lat?: unknown };
  if (typeof lon !== 'number' || typeof lat !== 'number') return undefined;
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? { lon, lat } : undefined;
}

export function isInside(area: GeoArea, lon: number, lat: number): boolean {
  switch (area.kind) {
    case 'box': {
      const { west, east, south, north } = area;
      const between = west > east ? lon > west || lon < east : lon > west && lon < east;
      return between && lat > south && lat < north;
    }
    case 'circle':
      return distance(area.lon, area.lat, lon, lat) < area.radius;
    case 'polygon': {
      const [exterior, ...interiors] = area.rings.map((ring) => sideOf(ring, lon, lat));
      return exterior === 'inside' && interiors.every((side) => side === 'outside');
    }
  }
}

const radians = (degrees: number) => (degrees * Math.PI) / 180;

/** Metres between two places, along a great circle (haversine formula). */
export function distance(lon1: number, lat1: number, lon2: number, lat2: number): number {
  const [north, east] = [radians(lat2 - lat1) / 2, radians(lon2 - lon1) / 2];
  const parallel = Math.cos(radians(lat1)) * Math.cos(radians(lat2));
  const h = Math.sin(north) ** 2 + parallel * Math.sin(east) ** 2;
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(Math.min(1, h)));
}

/** Counts the edges that a ray to the east crosses. */
function sideOf(ring: Ring, lon: number, lat: number): 'inside' | 'outside' | 'edge' {
  let isIn = false;
  for (let i = 0; i + 3 < ring.length; i += 2) {
    const [x1, y1, x2, y2] = [ring[i]!, ring[i + 1]!, ring[i + 2]!, ring[i + 3]!];
    const turn = (x2 - x1) * (lat - y1) - (lon - x1) * (y2 - y1);
    if (turn === 0 && isBetween(lon, x1, x2) && isBetween(lat, y1, y2)) return 'edge';
    if (y1 > lat !== y2 > lat && turn > 0 === y2 > y1) isIn = !isIn;
  }
  return isIn ? 'inside' : 'outside';
}

function isBetween(x: number, a: number, b: number): boolean {
  return x >= Math.min(a, b) && x <= Math.max(a, b);
}

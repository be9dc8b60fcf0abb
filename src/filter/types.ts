/**
 * The filter language, as users write it: the one of Qdrant's REST API. Everything is JSON, but
 * that integers may also be bigint. Where a member may be left out, null means the same.
 */

/** What a point carries besides its vectors: a JSON object. */
export type Payload = { [key: string]: unknown };

/**
 * Conditions joined: all of `must` hold, at least one of `should` (where there are any), none of
 * `must_not`, and so many of `min_should` as it says. A filter without conditions matches all.
 */
export interface Filter {
  must?: Condition | readonly Condition[] | null;
  should?: Condition | readonly Condition[] | null;
  must_not?: Condition | readonly Condition[] | null;
  min_should?: { conditions: readonly Condition[]; min_count: number } | null;
}

export type Condition =
  | FieldCondition
  | { is_empty: { key: string } }
  | { is_null: { key: string } }
  | { has_id: readonly (string | number | bigint)[] }
  | { has_vector: string }
  | { slice: { total: number; index: number } }
  | { nested: { key: string; filter: Filter } }
  | Filter;

/**
 * A condition on the values at `key`, a path such as `city`, `address.zip`, `parts[].price`,
 * `sizes[0]` or `"any name".x`. Besides the key it has exactly one member. An array of values
 * matches if any of its elements does.
 */
export interface FieldCondition {
  key: string;
  match?: Match | null;
  range?: Range | DatetimeRange | null;
  geo_bounding_box?: GeoBoundingBox | null;
  geo_radius?: GeoRadius | null;
  geo_polygon?: GeoPolygon | null;
  /** The number of elements of an array; 1 for any other value, 0 where there is none or null. */
  values_count?: Range | null;
  /** Whether there is no value: it is absent, null or an empty array. */
  is_empty?: boolean | null;
  /** Whether there is a null, by itself or as an element of an array. */
  is_null?: boolean | null;
}

/** A string, an integer of 64 bits or a boolean: `1` and `'1'` are different. */
export type MatchValue = string | number | bigint | boolean;

export type Match =
  | { value: MatchValue }
  /** One of these; an empty list matches nothing. */
  | { any: readonly MatchValue[] }
  /** Any value but null and these; an empty list matches wherever there is a value. */
  | { except: readonly MatchValue[] }
  /** All the words, in any order. Without a text index on the field: the text as it stands. */
  | { text: string }
  /** One of the words at least. Without a text index on the field: a word as it stands. */
  | { text_any: string }
  /** The words one after another. Without a text index on the field: the text as it stands. */
  | { phrase: string }
  /** A string that begins so. */
  | { prefix: string };

/** Numbers within all the bounds that are given. */
export interface Range {
  gt?: number | null;
  gte?: number | null;
  lt?: number | null;
  lte?: number | null;
}

/**
 * Strings that are an instant within all the bounds: RFC 3339, or the same without a zone (then
 * UTC), with a space for the T, or the date alone. Compared in microseconds.
 */
export interface DatetimeRange {
  gt?: string | null;
  gte?: string | null;
  lt?: string | null;
  lte?: string | null;
}

/** Degrees: longitude from -180 to 180, latitude from -90 to 90. */
export interface GeoPoint {
  lon: number;
  lat: number;
}

/** Strictly inside; with the left edge east of the right one, across the antimeridian. */
export interface GeoBoundingBox {
  top_left: GeoPoint;
  bottom_right: GeoPoint;
}

/** Nearer than `radius` metres, on a sphere of the Earth's mean radius. */
export interface GeoRadius {
  center: GeoPoint;
  radius: number;
}

/**
 * Strictly inside the exterior and outside all the interiors, with straight edges on the map of
 * longitudes and latitudes. The last point of a ring is its first.
 */
export interface GeoPolygon {
  exterior: { points: readonly GeoPoint[] };
  interiors?: readonly { points: readonly GeoPoint[] }[] | null;
}

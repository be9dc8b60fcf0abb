import type { PointId } from '../base/point-id.js';
import { Bitmap } from './bitmap.js';
import type { ParsedCondition, ParsedFilter } from './conditions.js';
import { type Bounds, exactly, type Keep } from './field-index.js';
import type { PayloadIndexes } from './payload-indexes.js';

/** What filters are evaluated over. Its bitmaps are only read. */
export interface FilterContext {
  /** All rows that there are. */
  live: Bitmap;
  indexes: PayloadIndexes;
  rowOf(id: PointId): number | undefined;
  /** The rows with a vector of this name; undefined, as if there were none, for an unknown name. */
  withVector(name: string): Bitmap | undefined;
}

export interface Evaluated {
  /** Live rows, all that match among them; the caller disposes of it. */
  rows: Bitmap;
  /** Whether all of `rows` match. */
  exact: boolean;
  /** Those of `rows` that have to be matched one by one; the caller disposes of it. */
  unsure: Bitmap;
}

/** The rows that match by what the indexes know. */
export function evaluate(filter: ParsedFilter, context: FilterContext): Evaluated {
  const made: Bitmap[] = [];
  const keep: Keep = (bitmap) => {
    made.push(bitmap);
    return bitmap;
  };
  try {
    const { possible, sure } = new Evaluation(context, keep).all(filter, false);
    const rows = possible.and(context.live);
    const unsure = sure === possible ? Bitmap.empty() : rows.andNot(sure);
    return { rows, exact: unsure.isEmpty, unsure };
  } finally {
    for (const bitmap of made) bitmap.dispose();
  }
}

/**
 * Each condition gives bounds of the rows that meet it. Joining conditions joins the bounds, and
 * negation swaps them. Bounds may contain rows that are not live.
 *
 * Inside `nested` a row meets a condition if some element does, by the values of all elements:
 * whether one and the same element meets several is not known, nor whether one fails a condition.
 */
class Evaluation {
  private readonly context: FilterContext;
  private readonly keep: Keep;
  private readonly none: Bitmap;

  constructor(context: FilterContext, keep: Keep) {
    this.context = context;
    this.keep = keep;
    this.none = keep(Bitmap.empty());
  }

  /** The rows that a filter matches. */
  all({ must, should, mustNot, minShould }: ParsedFilter, isNested: boolean): Bounds {
    const each = (conditions: readonly ParsedCondition[]) =>
      conditions.map((condition) => this.of(condition, isNested));
    const parts = each(must);
    if (should.length > 0) parts.push(this.or(each(should)));
    if (mustNot.length > 0) {
      parts.push(isNested ? this.unknown() : this.not(this.or(each(mustNot))));
    }
    if (minShould !== undefined) {
      const { conditions, minCount } = minShould;
      const { possible, sure } = this.atLeast(minCount, each(conditions));
      parts.push({ possible, sure: isNested && minCount !== 1 ? this.none : sure });
    }
    // An element at least must be there.
    if (isNested && parts.length === 0) return this.unknown();
    const { possible, sure } = this.and(parts);
    return isNested && parts.length > 1 ? { possible, sure: this.none } : { possible, sure };
  }

  private of(condition: ParsedCondition, isNested: boolean): Bounds {
    const { context, keep } = this;
    switch (condition.kind) {
      case 'filter':
        return this.all(condition.filter, isNested);
      case 'nested':
        return this.all(condition.filter, true);
      case 'slice':
        return this.unknown();
      case 'has_vector':
        return exactly(context.withVector(condition.name) ?? this.none);
      case 'has_id': {
        const rows = [...condition.ids].map((id) => context.rowOf(id));
        const known = rows.filter((row) => row !== undefined);
        return exactly(keep(Bitmap.from(Uint32Array.from(known).sort())));
      }
      case 'field': {
        const { field, test } = condition;
        // Of an element without the key nothing is known.
        const isAboutNone = test.kind === 'is_empty' && isNested;
        const index = isAboutNone ? undefined : context.indexes.at(field);
        return index?.bounds(test, context.live, keep) ?? this.unknown();
      }
    }
  }

  private unknown(): Bounds {
    return { possible: this.context.live, sure: this.none };
  }

  private and(parts: readonly Bounds[]): Bounds {
    const [first, ...rest] = parts;
    if (first === undefined) return exactly(this.context.live);
    return this.join(first, rest, (a, b) => a.and(b));
  }

  private or(parts: readonly Bounds[]): Bounds {
    const [first, ...rest] = parts;
    if (first === undefined) return exactly(this.none);
    return this.join(first, rest, (a, b) => a.or(b));
  }

  /** Exact parts give an exact whole, joined only once. */
  private join(first: Bounds, rest: readonly Bounds[], by: (a: Bitmap, b: Bitmap) => Bitmap) {
    return rest.reduce((a, b) => {
      const possible = this.keep(by(a.possible, b.possible));
      if (a.sure === a.possible && b.sure === b.possible) return exactly(possible);
      return { possible, sure: this.keep(by(a.sure, b.sure)) };
    }, first);
  }

  private not({ possible, sure }: Bounds): Bounds {
    const { live } = this.context;
    const rest = this.keep(live.andNot(sure));
    return sure === possible
      ? exactly(rest)
      : { possible: rest, sure: this.keep(live.andNot(possible)) };
  }

  private atLeast(count: number, parts: readonly Bounds[]): Bounds {
    const possible = this.inAtLeast(
      count,
      parts.map((part) => part.possible),
    );
    if (parts.every((part) => part.sure === part.possible)) return exactly(possible);
    return {
      possible,
      sure: this.inAtLeast(
        count,
        parts.map((part) => part.sure),
      ),
    };
  }

  /** The rows that are in at least so many of the sets, counted in binary, a bitmap a digit. */
  private inAtLeast(count: number, sets: readonly Bitmap[]): Bitmap {
    const { keep } = this;
    const digits: Bitmap[] = [];
    for (const set of sets) {
      let carry = set;
      for (let i = 0; !carry.isEmpty; i++) {
        const digit = digits[i] ?? this.none;
        digits[i] = keep(digit.xor(carry));
        carry = keep(digit.and(carry));
      }
    }
    // From the highest digit down: rows whose count is greater, and those of whose digits none is
    // less so far.
    let greater = this.none;
    let equal = this.context.live;
    for (let i = Math.max(digits.length, 32 - Math.clz32(count)) - 1; i >= 0; i--) {
      const withDigit = keep(equal.and(digits[i] ?? this.none));
      if (((count >> i) & 1) === 0) greater = keep(greater.or(withDigit));
      else equal = withDigit;
    }
    return keep(greater.or(equal));
  }
}

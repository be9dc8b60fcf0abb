import type { Steps } from '../base/steps.js';
import type { Bitmap } from './bitmap.js';
import type { Scalar, ValueTest } from './conditions.js';
import { passesValue } from './match.js';
import { Postings } from './postings.js';
import type { Found, ValueIndex } from './value-index.js';

/** More terms than these are not looked through one by one. */
const SCAN_MAX = 32_768;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

type Term = string | boolean;

export const TERM_TYPES = {
  keyword: (value: unknown) => typeof value === 'string',
  uuid: (value: unknown) => typeof value === 'string' && UUID.test(value),
  bool: (value: unknown) => typeof value === 'boolean',
} as const;

/** Strings or booleans: from each to its rows. */
export class TermIndex implements ValueIndex<Term> {
  private readonly isTerm: (value: unknown) => boolean;
  readonly postings = new Postings<Term>();

  constructor(type: keyof typeof TERM_TYPES) {
    this.isTerm = TERM_TYPES[type];
  }

  keyOf(value: unknown): Term | undefined {
    return this.isTerm(value) ? (value as Term) : undefined;
  }

  isKey(key: unknown): boolean {
    return this.isTerm(key);
  }

  add(term: Term, row: number): void {
    this.postings.add(term, row);
  }

  remove(term: Term, row: number): void {
    this.postings.remove(term, row);
  }

  forget(rows: Bitmap): Steps<void> {
    return this.postings.forget(rows);
  }

  find(test: ValueTest): Found | undefined {
    if (test.kind === 'any') {
      let othersToo = false;
      for (const value of test.values) othersToo ||= !this.isTerm(value);
      const rows = this.postings.union(test.values as Iterable<Term>);
      return { rows, unsure: 'none', othersToo };
    }
    if (test.kind !== 'prefix' && test.kind !== 'substring') return undefined;
    if (this.postings.size > SCAN_MAX) return undefined;
    const rows = this.postings.union(this.passing(test));
    return { rows, unsure: 'none', othersToo: this.isTerm !== TERM_TYPES.keyword };
  }

  private passing(test: ValueTest): Term[] {
    const terms: Term[] = [];
    for (const term of this.postings.keys()) if (passesValue(test, term)) terms.push(term);
    return terms;
  }

  counts(rows: Bitmap, visit: (value: Scalar, count: number) => void): void {
    const isIn = rows.lookup();
    for (const [term, posting] of this.postings.entries()) {
      const count = typeof posting === 'number' ? Number(isIn(posting)) : posting.andSize(rows);
      if (count > 0) visit(term, count);
    }
  }

  get byteLength(): number {
    return this.postings.byteLength;
  }

  dispose(): void {
    this.postings.dispose();
  }
}

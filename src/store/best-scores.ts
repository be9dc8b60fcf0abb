import type { Distance } from '../base/distance.js';
import type { Scored } from './types.js';

/** Candidates kept besides the best k before the worst are dropped. */
const SLACK = 1024;

/** The best k of many scores: best first, equal ones by row. */
export class BestScores {
  private readonly k: number;
  private readonly sign: number;
  private kept: { row: number; score: number }[] = [];
  /** The worst of the best k so far, once there are so many; a worse one is none of them. */
  private bound: number | undefined;

  constructor(distance: Distance, k: number) {
    this.k = k;
    this.sign = distance === 'Euclid' ? 1 : -1;
  }

  add(row: number, score: number): void {
    if (this.bound !== undefined && this.sign * (score - this.bound) > 0) return;
    this.kept.push({ row, score });
    if (this.kept.length >= 2 * this.k + SLACK) this.prune();
  }

  private prune(): void {
    this.kept.sort((a, b) => this.sign * (a.score - b.score) || a.row - b.row);
    this.kept.length = Math.min(this.k, this.kept.length);
    if (this.kept.length === this.k) this.bound = this.kept.at(-1)!.score;
  }

  best(): Omit<Scored, 'gone'> {
    this.prune();
    return {
      rows: Uint32Array.from(this.kept, ({ row }) => row),
      scores: Float64Array.from(this.kept, ({ score }) => score),
    };
  }
}

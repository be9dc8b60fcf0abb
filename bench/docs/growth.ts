import { table } from '../markdown.js';
import type { CaseResult } from '../result.js';

/** How much longer a query takes in the second case than in the first, at equal recall and equal ef. */
export function growthTable([few, many]: readonly CaseResult[]): string {
  const size = ({ data }: CaseResult) => data.count.toLocaleString('en-US');
  const rows = few!.contenders.flatMap((contender) => {
    const other = many!.contenders.find(({ name }) => name === contender.name);
    if (other === undefined) return [];
    const at = (level: '0.90' | '0.95') => {
      const [before, after] = [contender.atRecall[level], other.atRecall[level]];
      return before === null || after === null ? '-' : `${(before / after).toFixed(1)}x`;
    };
    const ratios = contender.points.flatMap(({ ef, qps }) => {
      const point = other.points.find((each) => each.ef === ef);
      return point === undefined ? [] : [qps / point.qps];
    });
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((x) => x.toFixed(1));
    return [[contender.name, at('0.90'), at('0.95'), `${least}x - ${most}x`]];
  });
  return table(
    [`from ${size(few!)} to ${size(many!)}`, 'time at recall@10 0.90', '0.95', 'at the same ef'],
    rows,
  );
}

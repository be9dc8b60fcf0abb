import { loadECharts } from '../echarts.js';

/** A method's attention errors at the bytes that it takes. */
export interface Curve {
  readonly name: string;
  /** Times fewer bytes than float16, and the relative error. */
  readonly points: readonly (readonly [number, number])[];
}

/**
 * Errors against compression as SVG, both logarithmic; down and to the right is better.
 * @throws LeandexError `NOT_FOUND` when echarts, a development dependency, is not installed.
 */
export async function plotErrors(title: string, curves: readonly Curve[]): Promise<string> {
  const { init } = await loadECharts();
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 1000, height: 640 });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      title: { text: title, left: 'center', top: 12 },
      grid: { left: 80, right: 300, top: 70, bottom: 60 },
      legend: { orient: 'vertical', right: 16, top: 70 },
      xAxis: {
        ...{ type: 'log', name: 'times fewer bytes than float16', nameLocation: 'middle' },
        ...{ nameGap: 34, min: 1, max: 32, logBase: 2 },
      },
      yAxis: {
        ...{ type: 'log', name: 'relative error of attention', nameLocation: 'middle' },
        ...{ nameGap: 50, min: 0.01, max: 2 },
      },
      series: curves.map(({ name, points }) => ({
        ...{ name, type: 'line', symbolSize: 8 },
        lineStyle: { width: name.startsWith('leandex') ? 3 : 1.5 },
        data: points.map(([x, y]) => [x, y]),
      })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

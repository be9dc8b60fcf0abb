import { LeandexError } from '../src/base/errors.js';

/** @throws LeandexError `NOT_FOUND` when echarts, a development dependency, is not installed. */
export async function loadECharts(): Promise<typeof import('echarts')> {
  try {
    return await import('echarts');
  } catch (cause) {
    throw new LeandexError('NOT_FOUND', 'the plot needs echarts: npm install', { cause });
  }
}

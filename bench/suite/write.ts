import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderHtml } from './html.js';
import { renderMarkdown } from './markdown.js';
import type { SuiteResult } from './result.js';

/**
 * Writes results.json, report.md and report.html, each whole or not at all, and gives their paths.
 * @throws LeandexError `NOT_FOUND` without echarts, when the other two are there already.
 */
export function writeSuite(folder: string, result: SuiteResult): string[] {
  mkdirSync(folder, { recursive: true });
  const files: readonly [string, () => string][] = [
    // First, because the measurements that it holds may have taken an hour.
    ['results.json', () => `${JSON.stringify(result, null, 1)}\n`],
    ['report.md', () => renderMarkdown(result)],
    ['report.html', () => renderHtml(result)],
  ];
  return files.map(([name, render]) => {
    const path = join(folder, name);
    const text = render();
    try {
      writeFileSync(`${path}.part`, text);
      renameSync(`${path}.part`, path);
    } catch (error) {
      rmSync(`${path}.part`, { force: true });
      throw error;
    }
    return path;
  });
}

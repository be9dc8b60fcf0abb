import { getEventListeners } from 'node:events';
import { expect, test, vi } from 'vitest';
import { onAbort } from '../../src/base/on-abort.js';

test('all that wait for a signal are called once, by one listener', () => {
  const controller = new AbortController();
  const runs = Array.from({ length: 30 }, () => vi.fn());
  for (const run of runs) onAbort(controller.signal, run);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  controller.abort();
  controller.abort();
  for (const run of runs) expect(run).toHaveBeenCalledTimes(1);
});

test('who stops waiting is not called', () => {
  const controller = new AbortController();
  const [stays, goes] = [vi.fn(), vi.fn()];
  onAbort(controller.signal, stays);
  onAbort(controller.signal, goes)();
  controller.abort();
  expect(stays).toHaveBeenCalledTimes(1);
  expect(goes).not.toHaveBeenCalled();
});

test('without a signal nothing is waited for', () => {
  expect(() => onAbort(undefined, vi.fn())()).not.toThrow();
});

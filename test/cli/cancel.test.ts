import { expect, test } from 'vitest';
import { LeandexError } from '../../src/base/errors.js';
import { throwIfAborted } from '../../src/base/steps.js';
import { cancellable } from '../../src/cli/cancel.js';

test.each([
  'SIGINT',
  'SIGTERM',
] as const)('%s aborts the work and is told as the cause', async (name) => {
  const before = process.listenerCount(name);
  const error = await cancellable(async ({ signal }) => {
    process.emit(name, name);
    throwIfAborted(signal);
  }).catch((error) => error);
  expect(error).toBeInstanceOf(LeandexError);
  expect(error).toMatchObject({ code: 'ABORTED', cause: name });
  expect(process.listenerCount(name)).toBe(before);
});

test('gives what the work gives', async () => {
  expect(await cancellable(async () => 7)).toBe(7);
});

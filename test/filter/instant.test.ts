import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../src/filter/instant.js';

describe('an instant', () => {
  test.each<[string, number]>([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01', 0],
    ['1970-01-01 00:01', 60e6],
    ['1970-01-01t00:00:01.5z', 1.5e6],
    ['1970-01-01T00:00:00.000001', 1],
    ['1970-01-01T00:00:00.123456789Z', 123_456],
    ['1970-01-01T01:00:00+01:00', 0],
    ['1970-01-01T00:00:00-0130', 5400e6],
    ['1969-12-31T23:59:59.999999Z', -1],
    ['1970-01-01T00:00:00+05', -18_000e6],
    ['2000-02-29', 951_782_400e6],
    ['0001-01-01T00:00:00Z', -62_135_596_800e6],
    ['1972-06-30T23:59:60Z', Date.UTC(1972, 6, 1) * 1000],
  ])('%s is %d microseconds', (text, micros) => {
    expect(parseInstant(text)).toBe(micros);
  });

  test.each([
    '',
    'today',
    '2020',
    '2020-1-1',
    '2020-13-01',
    '2020-00-01',
    '2020-04-31',
    '2021-02-29',
    '1900-02-29',
    '2020-01-00',
    '2020-01-01T24:00:00Z',
    '2020-01-01T12:60:00Z',
    '2020-01-01T12:00:61Z',
    '2020-01-01T12',
    '2020-01-01T12:00:00.Z',
    '2020-01-01T12:00:00+1:00',
    '2020-01-01T12:00:00+24:00',
    '2020-01-01Z',
    ' 2020-01-01',
    '2020-01-01\n',
    '+002020-01-01',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test('agrees with Date on what both read', () => {
    const date = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, fc.integer({ min: -1439, max: 1439 }), (instant, minutes) => {
        expect(parseInstant(instant.toISOString())).toBe(instant.getTime() * 1000);
        const local = new Date(instant.getTime() + minutes * 60_000).toISOString();
        if (!/^\d{4}-/.test(local)) return;
        const [h, m] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const zone = `${minutes < 0 ? '-' : '+'}${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`;
        expect(parseInstant(local.replace('Z', zone))).toBe(instant.getTime() * 1000);
      }),
      { seed: 6, numRuns: 2000 },
    );
  });
});

import { expect, test } from 'vitest';
import { CASES } from '../../bench/cases.js';
import { ENGINES, engineNamed } from '../../bench/engines/registry.js';

test('cases have names of their own', () => {
  const names = CASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.slice(0, 2)).toEqual(['quick', 'wordnet-mpnet768']);
});

test('engines have names of their own, and are found by them', () => {
  for (const engine of ENGINES) expect(engineNamed(engine.name)).toBe(engine);
  expect(() => engineNamed('none')).toThrow('no engine is called none');
});

test.each(CASES)('contenders of $name have names of their own and an engine', ({ contenders }) => {
  const names = contenders.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { engine } of contenders) expect(engineNamed(engine).name).toBe(engine);
  // Results are read back from JSON.
  expect(JSON.parse(JSON.stringify(contenders))).toEqual(contenders);
});

test.each(CASES)('the contenders of $name sweep from k upwards', ({ k, contenders }) => {
  for (const { efs } of contenders) {
    expect(efs[0]).toBe(k);
    expect(efs).toEqual([...new Set(efs)].sort((a, b) => a - b));
  }
});

test('every case has the default, and M is swept on wordnet-mpnet768 only', () => {
  for (const { name, contenders } of CASES) {
    expect(contenders[0]).toMatchObject({ engine: 'leandex', name: 'leandex', settings: {} });
    const ms = new Set(contenders.map(({ settings }) => (settings as { m?: number }).m ?? 16));
    expect([...ms].sort((a, b) => a - b)).toEqual(
      name === 'wordnet-mpnet768' ? [16, 24, 32] : [16],
    );
  }
});

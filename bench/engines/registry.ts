import { LeandexError } from '../../src/base/errors.js';
import type { EngineModule } from '../engine.js';
import { installedVersion, ownVersion } from '../packages.js';
import { edgevec } from './edgevec.js';
import { hnswlib } from './hnswlib-node.js';
import { leandex } from './leandex.js';
import { usearch } from './usearch.js';
import { zvec } from './zvec.js';

/** All engines that can take part. A new one is a file in this folder and its place here. */
export const ENGINES: readonly EngineModule[] = [leandex, hnswlib, usearch, zvec, edgevec];

/** @throws LeandexError `INTERNAL` for a name that no engine has. */
export function engineNamed(name: string): EngineModule {
  const found = ENGINES.find((engine) => engine.name === name);
  if (found === undefined) throw new LeandexError('INTERNAL', `no engine is called ${name}`);
  return found;
}

/** Why an engine cannot take part here; undefined when it can. */
export function engineAbsence({ package: name, install }: EngineModule): string | undefined {
  if (name === undefined || installedVersion(name) !== undefined) return undefined;
  return `not installed: ${install}`;
}

/** The version of an installed engine. */
export function engineVersion({ package: name }: EngineModule): string {
  return (name === undefined ? ownVersion() : installedVersion(name)) ?? 'unknown';
}

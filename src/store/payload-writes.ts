import { changePayload, type PayloadChange } from '../filter/change-payload.js';
import { type CollectionFile, countPoint } from './collection-file.js';
import { checkPayloadBytes } from './limits.js';
import { PAYLOAD_PART, type PointRow, payloadOf } from './point-rows.js';
import {
  checkAllThere,
  nextVersion,
  pointsOf,
  removePayload,
  writePayload,
  writePoint,
} from './point-writes.js';
import { changeTexts } from './text-rows.js';
import type { PayloadsChanged, Target } from './types.js';

/**
 * Changes payloads; the points keep their rows. Rows that are not there are skipped.
 * @throws LeandexError `NOT_FOUND` where an id is missing, and nothing is changed.
 */
export function changePayloads(
  file: CollectionFile,
  target: Target,
  change: PayloadChange,
): PayloadsChanged {
  checkAllThere(file, target);
  const version = nextVersion(file);
  const rows: number[] = [];
  const before: (string | null)[] = [];
  const after: (string | null)[] = [];
  for (const point of pointsOf(file, target)) {
    if (point === undefined) continue;
    const old = payloadOf(file, point);
    const changed = changePayload(old === null ? null : JSON.parse(old), change);
    const json = changed === null ? null : JSON.stringify(changed);
    replacePayload(file, point, json);
    changeTexts(file, point.row, old, json);
    rows.push(point.row);
    before.push(old);
    after.push(json);
  }
  return { version, rows: Uint32Array.from(rows), before, after };
}

function replacePayload(file: CollectionFile, point: PointRow, json: string | null): void {
  const { row, key, checksum } = point;
  const others = (point.parts & ~PAYLOAD_PART) >>> 0;
  countPoint(file.state, checksum, -1);
  writePoint(file, 'REPLACE', row, key, json === null ? others : (others | PAYLOAD_PART) >>> 0);
  if (json === null) {
    removePayload(file, row);
  } else {
    checkPayloadBytes(json);
    writePayload(file, row, json);
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rows } from '../elements.js';
import { corrupt, notFound } from '../errors.js';

const DIGITS = 10;
/** 28 x 28 shades of grey, 0 … 1. */
const PIXELS = 784;

export type Digits = Rows<Float32Array> & { readonly labels: Uint8Array };

/**
 * The handwritten digits of the package mnist, `src/digits/0.json` … `9.json`, each `{data}` with the
 * pixels of one digit's images, image after image. Throws NOT_FOUND and CORRUPT.
 */
export function readDigits(folder: string): Digits {
  const parts = Array.from({ length: DIGITS }, (_, digit) =>
    readPixels(join(folder, 'src', 'digits', `${digit}.json`)),
  );
  const data = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  const labels = new Uint8Array(data.length / PIXELS);
  let at = 0;
  for (const [digit, pixels] of parts.entries()) {
    data.set(pixels, at);
    labels.fill(digit, at / PIXELS, (at + pixels.length) / PIXELS);
    at += pixels.length;
  }
  return { count: labels.length, dimensions: PIXELS, data, labels };
}

function readPixels(path: string): number[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw notFound(path, cause);
  }
  const { data } = parse(path, text) as { data?: unknown };
  if (Array.isArray(data) && data.every(Number.isFinite) && data.length % PIXELS === 0) return data;
  throw corrupt(path, { offset: 0 }, `{data}, images of ${PIXELS} numbers`, text.slice(0, 60));
}

function parse(path: string, text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw corrupt(path, { offset: 0 }, 'a JSON object', text.slice(0, 60));
  }
}

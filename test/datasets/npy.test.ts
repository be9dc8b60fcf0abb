import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeNpy, parseNpy, readNpy, toFloat32, writeNpy } from '../../datasets/npy.js';
import { errorOf, folderWith, latin1, unaligned } from './support.js';

/** A file as numpy writes it, version 1.0 unless told, made without the code under test. */
function npyFile(dictionary: string, data: readonly number[], version = 1): Uint8Array {
  const prefix = version === 1 ? 10 : 12;
  const padded = dictionary.padEnd(128 - prefix - 1);
  const length = padded.length + 1;
  const size = version === 1 ? [length, 0] : [length, 0, 0, 0];
  const header = latin1(`\x93NUMPY${String.fromCharCode(version, 0, ...size)}${padded}\n`);
  return Uint8Array.from([...header, ...data]);
}

function dictionary(descr: string, shape: string): string {
  return `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
}

/** 1, -2, .5 as float32. */
const FLOATS = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f];
const GOLDEN = npyFile(dictionary('<f4', '(3, 1)'), FLOATS);

describe('parseNpy', () => {
  test('float32 rows', () => {
    expect(parseNpy(GOLDEN, 'a.npy')).toEqual({
      shape: [3, 1],
      dtype: 'f4',
      data: Float32Array.of(1, -2, 0.5),
    });
  });

  test.each([
    ['<f2', [0, 0x3c, 1, 0x80], Float32Array.of(1, -(2 ** -24))],
    [
      '<f8',
      [...new Array(6).fill(0), 0xf8, 0x3f, ...new Array(8).fill(0)],
      Float64Array.of(1.5, 0),
    ],
    ['|i1', [0x80, 0x7f], Int8Array.of(-128, 127)],
    ['|u1', [0x80, 0x7f], Uint8Array.of(128, 127)],
    ['<i1', [0x80, 0x7f], Int8Array.of(-128, 127)],
    ['<i4', [0xfe, 0xff, 0xff, 0xff, 1, 2, 0, 0], Int32Array.of(-2, 513)],
    ['<u4', [0xfe, 0xff, 0xff, 0xff, 1, 2, 0, 0], Uint32Array.of(0xffff_fffe, 513)],
    [
      '<i8',
      [...new Array(8).fill(0xff), 0, 0, 0, 0, 1, 0, 0, 0],
      BigInt64Array.of(-1n, 4_294_967_296n),
    ],
  ])('type %s, aligned and not', (descr, bytes, expected) => {
    const file = npyFile(dictionary(descr, '(2,)'), bytes);
    expect(parseNpy(file, 'a.npy')).toEqual({
      shape: [2],
      dtype: descr.slice(1),
      data: expected,
    });
    expect(parseNpy(unaligned(file), 'a.npy').data).toEqual(expected);
  });

  test('versions 2.0 and 3.0 have a header length of four bytes', () => {
    for (const version of [2, 3]) {
      const file = npyFile(dictionary('<f4', '(3,)'), FLOATS, version);
      expect(parseNpy(file, 'a.npy').data).toEqual(Float32Array.of(1, -2, 0.5));
    }
  });

  test.each([
    ['()', []],
    ['(1,)', [1]],
    ['(1, 1, 1)', [1, 1, 1]],
    ['(1L, 1L)', [1, 1]],
    ['( 1 ,1, )', [1, 1]],
  ])('shape %s', (shape, expected) => {
    const file = npyFile(dictionary('<f4', shape), FLOATS.slice(0, 4));
    expect(parseNpy(file, 'a.npy')).toMatchObject({ shape: expected, data: { 0: 1 } });
  });

  test('an empty axis holds no data', () => {
    const array = parseNpy(npyFile(dictionary('<f4', '(0, 384)'), []), 'a.npy');
    expect(array).toEqual({ shape: [0, 384], dtype: 'f4', data: new Float32Array(0) });
  });

  test('the keys may come in any order, quoted either way', () => {
    const header = `{"shape":(3,),"fortran_order":False,"descr":"<f4"}`;
    expect(parseNpy(npyFile(header, FLOATS), 'a.npy').shape).toEqual([3]);
  });

  test.each([
    [dictionary('>f4', '(3,)'), '>f4', 'big-endian'],
    [dictionary('|O', '(3,)'), '|O', 'Python objects'],
    [dictionary('<c8', '(3,)'), '<c8', '<f4'],
    [dictionary('=f4', '(3,)'), '=f4', '<f4'],
    [dictionary('|f4', '(3,)'), '|f4', '<f4'],
    [
      `{'descr': [('a', '<f4', (2,)), ('b', [('c', '|i1')])], 'fortran_order': False, 'shape': (3,), }`,
      'structured',
      '<f4',
    ],
    [`{'descr': '<f4', 'fortran_order': True, 'shape': (3,), }`, 'Fortran order', 'C order'],
  ])('refuses %s as unsupported', (header, ...words) => {
    const error = errorOf(() => parseNpy(npyFile(header, FLOATS), 'a.npy'));
    expect(error.code).toBe('UNSUPPORTED');
    for (const word of ['a.npy at byte', ...words]) expect(error.message).toContain(word);
  });

  test('refuses other versions as unsupported', () => {
    const file = GOLDEN.slice();
    file[6] = 4;
    expect(errorOf(() => parseNpy(file, 'a.npy'))).toMatchObject({
      code: 'UNSUPPORTED',
      message: 'a.npy at byte 6: expected version 1.0, 2.0 or 3.0, received version 4.0',
      details: { file: 'a.npy', offset: 6 },
    });
  });

  test.each([
    ['', '"{...}"'],
    ['[1, 2]', '"{...}"'],
    ['{}', "'key': value"],
    [`{'descr': '<f4', 'fortran_order': False}`, 'the keys descr'],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'more': (1,)}`, 'the keys descr'],
    [`{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}`, 'descr twice'],
    [`{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}`, "'key': value"],
    [`{'descr': '<f4', 'fortran_order': 'False', 'shape': (3,)}`, 'a boolean'],
    [`{'descr': True, 'fortran_order': False, 'shape': (3,)}`, 'a string'],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': '3'}`, 'a tuple'],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (3)}`, 'a tuple of sizes'],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (3 1,)}`, 'a tuple of sizes'],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (,)}`, 'a tuple of sizes'],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}`, 'sizes'],
    [`{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} {`, 'nothing after'],
  ])('refuses header %j as corrupt', (header, word) => {
    const error = errorOf(() => parseNpy(npyFile(header, FLOATS), 'a.npy'));
    expect(error.code).toBe('CORRUPT');
    expect(error.message).toContain(word);
  });

  test('the offset in the message is that of the value', () => {
    const error = errorOf(() => parseNpy(npyFile(dictionary('>f4', '(3,)'), FLOATS), 'a.npy'));
    // 10 bytes before the text, then "{'descr': '".
    expect(error.details).toMatchObject({ file: 'a.npy', offset: 21 });
  });

  test('refuses the file cut off at every length, and a byte too many', () => {
    for (const file of [GOLDEN, npyFile(dictionary('<f4', '(3,)'), FLOATS, 2)]) {
      for (let length = 0; length < file.length; length++) {
        const error = errorOf(() => parseNpy(file.subarray(0, length), 'a.npy'));
        expect([length, error.code]).toEqual([length, 'CORRUPT']);
        expect(error.message).toContain('a.npy at byte');
      }
    }
    const error = errorOf(() => parseNpy(Uint8Array.from([...GOLDEN, 0]), 'a.npy'));
    expect(error).toMatchObject({
      code: 'CORRUPT',
      message:
        'a.npy at byte 140: expected 12 bytes of data for shape (3,1) of f4, received 13 bytes',
    });
  });

  test('refuses every other first six bytes', () => {
    for (let offset = 0; offset < 6; offset++) {
      const file = GOLDEN.slice();
      file[offset] ^= 0x20;
      const error = errorOf(() => parseNpy(file, 'a.npy'));
      expect(error).toMatchObject({ code: 'CORRUPT', details: { offset } });
    }
  });

  test('any altered byte gives an array of the right length or a coded error', () => {
    for (let offset = 0; offset < 128; offset++) {
      for (let value = 0; value < 256; value++) {
        const file = GOLDEN.slice();
        file[offset] = value;
        try {
          const { shape, data } = parseNpy(file, 'a.npy');
          expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^(CORRUPT|UNSUPPORTED)$/);
        }
      }
    }
  });
});

describe('encodeNpy and writeNpy', () => {
  test('give the bytes that numpy writes', () => {
    expect(encodeNpy([3, 1], Float32Array.of(1, -2, 0.5))).toEqual(GOLDEN);
    expect(encodeNpy([], Float32Array.of(1))).toEqual(
      npyFile(dictionary('<f4', '()'), FLOATS.slice(0, 4)),
    );
    expect(encodeNpy([2], Uint8Array.of(7, 8))).toEqual(npyFile(dictionary('|u1', '(2,)'), [7, 8]));
  });

  test('a long shape takes another 64 bytes', () => {
    const shape = new Array(30).fill(1);
    const bytes = encodeNpy(shape, Float32Array.of(1));
    expect(bytes.length).toBe(192 + 4);
    expect(parseNpy(bytes, 'a.npy').shape).toEqual(shape);
  });

  test('refuse a shape that does not fit, and data that .npy cannot hold', () => {
    const data = new Float32Array(6);
    expect(errorOf(() => encodeNpy([2, 4], data)).code).toBe('DIMENSION_MISMATCH');
    expect(errorOf(() => encodeNpy([-2, -3], data)).code).toBe('INVALID_ARGUMENT');
    expect(errorOf(() => encodeNpy([1.5, 4], data)).code).toBe('INVALID_ARGUMENT');
    const wrong = [1, 2, 3] as unknown as Float32Array;
    expect(errorOf(() => encodeNpy([3], wrong))).toBeInstanceOf(TypeError);
    expect(errorOf(() => encodeNpy([3], null as unknown as Float32Array)).code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  test('what is written is read back, bit for bit', () => {
    const folder = folderWith({});
    const path = join(folder, 'a.npy');
    const bits = fc.uint32Array({ minLength: 0, maxLength: 60 });
    fc.assert(
      fc.property(bits, fc.integer({ min: 1, max: 5 }), (values, columns) => {
        const rows = Math.floor(values.length / columns);
        const data = new Float32Array(values.slice(0, rows * columns).buffer);
        writeNpy(path, [rows, columns], data);
        const array = readNpy(path);
        expect(array.shape).toEqual([rows, columns]);
        expect(new Uint32Array(toFloat32(array).slice().buffer)).toEqual(
          new Uint32Array(data.buffer),
        );
        expect(readNpy(path)).toEqual(parseNpy(encodeNpy([rows, columns], data), path));
      }),
      { numRuns: 50 },
    );
  });

  test('every type is read back as it was written', () => {
    const arrays = [
      Float32Array.of(1.5),
      Float64Array.of(Math.PI),
      Int8Array.of(-1),
      Uint8Array.of(255),
      Int32Array.of(-5),
      Uint32Array.of(2 ** 32 - 1),
      BigInt64Array.of(-(2n ** 63n)),
    ];
    for (const data of arrays) {
      expect(parseNpy(encodeNpy([1], data), 'a.npy').data).toEqual(data);
    }
  });

  test('a view into a larger buffer is written alone', () => {
    const data = Float32Array.of(0, 1, -2, 0.5, 9).subarray(1, 4);
    expect(encodeNpy([3, 1], data)).toEqual(GOLDEN);
  });
});

describe('toFloat32 and readNpy', () => {
  test('float32 is not copied; other types are narrowed to the nearest', () => {
    const array = parseNpy(GOLDEN, 'a.npy');
    expect(toFloat32(array)).toBe(array.data);
    const narrowed = (data: Float64Array | Int32Array | BigInt64Array) =>
      toFloat32(parseNpy(encodeNpy([data.length], data), 'a.npy'));
    expect(narrowed(Float64Array.of(0.1, 1e300))).toEqual(Float32Array.of(0.1, Infinity));
    expect(narrowed(Int32Array.of(2 ** 24 + 1))).toEqual(Float32Array.of(2 ** 24));
    expect(narrowed(BigInt64Array.of(-3n))).toEqual(Float32Array.of(-3));
  });

  test('a missing file is NOT_FOUND and names its path', () => {
    const path = join(folderWith({}), 'none.npy');
    const error = errorOf(() => readNpy(path));
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toContain(path);
  });
});

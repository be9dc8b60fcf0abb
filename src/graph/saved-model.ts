import type { Steps } from '../base/steps.js';
import { asBytes } from '../format/container.js';
import type { ContainerReader } from '../format/container-reader.js';
import type { PartedContainer } from '../format/container-writer.js';
import { corrupt, partsOf } from '../format/layout.js';
import { PRIMARY_BITS, primaryBytes, type SecondaryBits } from '../quant/layout.js';
import type { IndexModel } from '../quant/model.js';
import { areNestedBits, NESTED_BLOCK, type NestedModel } from '../quant/nested.js';
import type { ResolvedOptions } from './options.js';

const KIND = 'index';
/** Numbers that are checked between two yields. */
const VALUES_PER_STEP = 1 << 16;

/** What of a model goes in the header, and its arrays as sections. */
export function describeModel(model: IndexModel): Pick<PartedContainer, 'header' | 'sections'> {
  const { mean, projection, queryProjection, nested, ...rest } = model;
  const sections: PartedContainer['sections'] = {};
  const add = (name: string, values: Float32Array | undefined) => {
    if (values !== undefined) sections[name] = () => partsOf(asBytes(values));
  };
  add('nestedProjection', nested?.projection);
  add('mean', mean);
  add('projection', projection);
  add('queryProjection', queryProjection);
  return { header: { ...rest, ...(nested && { nestedBits: nested.bits }) }, sections };
}

/** The model of an index: `value` is its part of the header, its arrays are the next sections. */
export function* readModel(
  value: unknown,
  reader: ContainerReader,
  options: ResolvedOptions,
): Steps<IndexModel> {
  const { nestedBits, ...rest } = (value ?? {}) as Omit<
    IndexModel,
    'mean' | 'projection' | 'queryProjection' | 'nested'
  > & { nestedBits?: unknown };
  const { dimensions } = options;
  const isValid =
    typeof value === 'object' &&
    value !== null &&
    rest.dimensions === dimensions &&
    rest.distance === options.distance &&
    isSecondary(rest.secondaryBits, options.secondaryBits) &&
    PRIMARY_BITS.includes(rest.primaryBits) &&
    Number.isInteger(rest.primaryDimensions) &&
    rest.primaryDimensions >= 1 &&
    rest.primaryDimensions <= dimensions &&
    (rest.primaryBits !== 32 || rest.primaryDimensions === dimensions) &&
    rest.primaryBytes ===
      primaryBytes(
        rest.primaryDimensions,
        rest.primaryBits,
        options.distance,
        rest.secondaryBits,
      ) &&
    !(rest.primaryBits === 32 && rest.secondaryBits === 'none') &&
    Number.isInteger(rest.seed) &&
    rest.queryScale > 0 &&
    Number.isFinite(rest.queryScale) &&
    rest.unit > 0 &&
    Number.isFinite(rest.unit) &&
    typeof rest.energyKept === 'number' &&
    rest.energyKept >= 0;
  if (!isValid) throw corrupt(KIND, 'its model is not valid');
  const nested = yield* readNested(nestedBits, rest, reader);
  const mean = yield* readFloats(reader, 'mean', dimensions);
  const length = rest.primaryBits === 32 ? 0 : rest.primaryDimensions * dimensions;
  const projection = yield* readFloats(reader, 'projection', length);
  const hasQueries = reader.next?.name === 'queryProjection';
  // Nested codes refine the projection of the data.
  if (hasQueries && nested !== undefined) throw corrupt(KIND, 'its nested codes are not valid');
  const queryProjection = hasQueries
    ? yield* readFloats(reader, 'queryProjection', length)
    : undefined;
  return { ...rest, mean, projection, queryProjection, nested };
}

/** Whether a model that was to have `wanted` may have `bits`. */
function isSecondary(bits: SecondaryBits, wanted: SecondaryBits): boolean {
  return bits === wanted || (wanted === 'nested' && bits === 4);
}

function* readNested(
  bits: unknown,
  {
    secondaryBits,
    primaryBits,
    dimensions,
  }: Pick<IndexModel, 'secondaryBits' | 'primaryBits' | 'dimensions'>,
  reader: ContainerReader,
): Steps<NestedModel | undefined> {
  if (secondaryBits !== 'nested') return undefined;
  if (!areNestedBits(bits) || primaryBits !== 2) {
    throw corrupt(KIND, 'its nested codes are not valid');
  }
  const length = bits.length * NESTED_BLOCK * dimensions;
  return { bits, projection: yield* readFloats(reader, 'nestedProjection', length) };
}

function* readFloats(reader: ContainerReader, name: string, length: number): Steps<Float32Array> {
  const values = new Float32Array((yield* reader.read(name, length * 4)).buffer);
  for (let from = 0; from < length; from += VALUES_PER_STEP) {
    if (!values.subarray(from, from + VALUES_PER_STEP).every(Number.isFinite)) {
      throw corrupt(KIND, `section ${name} holds numbers that are not finite`);
    }
    yield;
  }
  return values;
}

import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { refused } from './errors.js';

/** Keywords that are broken by a value of the right type: Qdrant answers those with another status. */
const OF_VALUES = [
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'pattern',
];

/** The answer to a request that does not fit its schema. */
export function schemaError(errors: FastifySchemaValidationError[], part: string): Error {
  const found = mostTelling(errors);
  const place = part + found.instancePath.replaceAll('/', '.');
  const problem = `${place} ${found.message ?? 'is not valid'}${detail(found.params)}`;
  const where = part === 'body' ? 'JSON body' : part === 'querystring' ? 'query' : 'path';
  if (OF_VALUES.includes(found.keyword)) {
    return refused(422, `Validation error in ${where}: ${problem}`);
  }
  return refused(400, `Format error in ${where}: ${problem}`);
}

/** The error the deepest in the body: of alternatives the last one is only that it is not null. */
function mostTelling(errors: FastifySchemaValidationError[]): FastifySchemaValidationError {
  const depth = ({ instancePath }: FastifySchemaValidationError) => instancePath.split('/').length;
  const isOfNull = ({ params }: FastifySchemaValidationError) => params.type === 'null';
  const [best] = errors
    .filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'if')
    .sort((a, b) => depth(b) - depth(a) || Number(isOfNull(a)) - Number(isOfNull(b)));
  return best ?? errors[0]!;
}

/** Which member it was, or which values there are. */
function detail(params: Record<string, unknown>): string {
  const { additionalProperty, allowedValues } = params;
  if (additionalProperty !== undefined) return `: '${String(additionalProperty)}'`;
  return Array.isArray(allowedValues) ? `: ${allowedValues.join(', ')}` : '';
}

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

/** With the value that is wrong, as the validator is asked to tell. */
type SchemaError = FastifySchemaValidationError & { data?: unknown };

/** The answer to a request that does not fit its schema. */
export function schemaError(errors: FastifySchemaValidationError[], part: string): Error {
  const found = mostTelling(errors);
  const problem = problemOf(part, found);
  const where = part === 'body' ? 'JSON body' : part === 'querystring' ? 'query' : 'path';
  if (OF_VALUES.includes(found.keyword) && !isNegative(found)) {
    return refused(422, `Validation error in ${where}: ${problem}`);
  }
  return refused(400, `Format error in ${where}: ${problem}`);
}

/** Where numbers have no sign a negative one is of the wrong type. */
function isNegative({ keyword, data }: SchemaError): boolean {
  return keyword === 'minimum' && Number(data) < 0;
}

function problemOf(part: string, { instancePath, keyword, data, message, params }: SchemaError) {
  const isQuery = part === 'querystring' && keyword === 'pattern';
  if (isQuery) return `${instancePath.slice(1)}: value ${String(data)} invalid`;
  const place = part + instancePath.replaceAll('/', '.');
  return `${place} ${message ?? 'is not valid'}${detail(params)}`;
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

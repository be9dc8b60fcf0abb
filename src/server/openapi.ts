import { COMPONENTS } from './components.js';
import type { Endpoint } from './endpoint.js';
import { componentOf, integer, object, oneOf, type Schema, string } from './schema.js';

/** The document of these endpoints, made of the schemas that requests are checked with. */
export function openapiDocument(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const { method, path } = endpoint;
    paths[path] = { ...paths[path], [String(method).toLowerCase()]: operation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'leandex',
      version,
      description:
        'leandex over HTTP, in the REST dialect of Qdrant; under /v1 its own. Bodies are JSON, or application/msgpack with vectors as float32 bytes.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: COMPONENTS,
      securitySchemes: {
        'api-key': { type: 'apiKey', in: 'header', name: 'api-key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

function operation(endpoint: Endpoint) {
  const { path, summary, access, query, body, result, envelope } = endpoint;
  const answers =
    envelope === 'own'
      ? { '*/*': { schema: publicSchema(result) } }
      : jsonOf(enveloped(result, envelope));
  return {
    summary,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body && {
      requestBody: {
        required: endpoint.isBodyOptional !== true,
        content: jsonOf(publicSchema(body)),
      },
    }),
    ...(endpoint.isUpload && { requestBody: { required: true, content: UPLOAD } }),
    responses: {
      200: { description: 'Done', content: answers },
      default: { description: 'Refused', content: refusalOf(path) },
    },
    security: access === 'open' ? [] : [{}, { 'api-key': [] }, { bearer: [] }],
  };
}

const number = { type: 'number' } as Schema<number>;
const ERROR = object({ status: object({ error: string() }), time: number });
const PROBLEM = object({
  type: string(),
  title: string(),
  status: integer(),
  detail: string(),
  code: string(),
});
const UPLOAD = {
  'multipart/form-data': {
    schema: {
      type: 'object',
      properties: { snapshot: { type: 'string', format: 'binary' } },
      required: ['snapshot'],
    },
  },
};

function enveloped(result: Schema<unknown>, envelope: Endpoint['envelope']): object {
  if (envelope === 'bare') return publicSchema(result);
  return publicSchema(object({ result, status: oneOf(['ok'] as const), time: number }));
}

/** On routes of leandex's own errors are as RFC 9457 says. */
function refusalOf(path: string): object {
  if (!path.startsWith('/v1/')) return jsonOf(publicSchema(ERROR));
  return { 'application/problem+json': { schema: publicSchema(PROBLEM) } };
}

const jsonOf = (schema: object) => ({ 'application/json': { schema } });

function pathParameters(path: string): object[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: Schema<unknown> | undefined): object[] {
  const properties = (query?.properties ?? {}) as Record<string, object>;
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: publicSchema(schema),
  }));
}

/** A schema with references in the place of what stands for a component. */
function publicSchema(schema: unknown): object {
  if (Array.isArray(schema)) return schema.map(publicSchemaOf);
  const name = componentOf(schema as object);
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  return Object.fromEntries(
    Object.entries(schema as object).map(([key, value]) => [key, publicSchemaOf(value)]),
  );
}

function publicSchemaOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? publicSchema(value) : value;
}

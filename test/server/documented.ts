import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { ENDPOINTS } from '../../src/server/endpoints.js';
import { openapiDocument } from '../../src/server/openapi.js';

export const DOCUMENT = openapiDocument(ENDPOINTS, '0.0.0') as {
  paths: Record<string, Record<string, Operation>>;
};

interface Operation {
  responses: Record<string, { content: Record<string, unknown> }>;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(DOCUMENT, 'openapi');

/** Templates of paths, those with fewer parameters first. */
const TEMPLATES = Object.keys(DOCUMENT.paths)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((path) => ({
    path,
    form: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
  }));

const pointer = (...names: string[]) =>
  names
    .map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');

/** Fails unless the document knows of this answer, and of nothing less than all that is in it. */
export function expectDocumented(method: string, url: string, status: number, body: unknown): void {
  const { pathname } = new URL(url);
  const template = TEMPLATES.find(({ form }) => form.test(pathname));
  const operation = template && DOCUMENT.paths[template.path]![method.toLowerCase()];
  if (operation === undefined) {
    expect(status, `${method} ${pathname} is in no document`).toBeGreaterThanOrEqual(400);
    return;
  }
  const answer = status === 200 ? '200' : 'default';
  if (operation.responses[answer]!.content['application/json'] === undefined) return;
  const place = ['paths', template!.path, method.toLowerCase(), 'responses', answer, 'content'];
  const check = ajv.getSchema(`openapi#/${pointer(...place, 'application/json', 'schema')}`)!;
  const isFine = check(body);
  expect(isFine ? [] : check.errors, `${method} ${pathname} ${JSON.stringify(body)}`).toEqual([]);
}

/** The same for all that is fetched from now on, also by clients. */
export function checkAllFetched(): void {
  const fetched = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const response = await fetched(input, init);
    if (response.headers.get('content-type')?.startsWith('application/json')) {
      const url = input instanceof Request ? input.url : String(input);
      const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
      expectDocumented(method, url, response.status, await response.clone().json());
    }
    return response;
  };
}

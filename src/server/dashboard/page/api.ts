import { parseJson, toJson } from './json.js';

const KEY = 'leandex-api-key';

/** An answer that is no success, or none at all (status 0). */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Kept until the tab is closed, and sent to this server alone. */
export const apiKey = (): string => sessionStorage.getItem(KEY) ?? '';

export function setApiKey(key: string): void {
  if (key === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
}

export type Method = 'GET' | 'POST' | 'DELETE';

/** The text of an answer. @throws ApiError */
export async function requestText(method: Method, path: string, body?: unknown): Promise<string> {
  const key = apiKey();
  const headers = {
    ...(key !== '' && { 'api-key': key }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers,
      ...(body !== undefined && { body: toJson(body) }),
    });
    text = await response.text();
  } catch {
    throw new ApiError(0, 'The server does not answer.');
  }
  if (!response.ok) throw new ApiError(response.status, problemIn(text) ?? response.statusText);
  return text;
}

/** An answer of leandex's own routes. */
export async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  return parseJson(await requestText(method, path, body)) as T;
}

/** What is in the envelope of an answer in Qdrant's dialect, and the seconds that it took. */
export async function requestResult<T>(
  method: Method,
  path: string,
  body?: unknown,
): Promise<{ result: T; time: number }> {
  return request(method, path, body);
}

/** What an answer says went wrong: in Qdrant's envelope, as problem+json, or in plain text. */
function problemIn(text: string): string | undefined {
  try {
    const { status, detail } = parseJson(text) as { status?: { error?: string }; detail?: string };
    return detail ?? status?.error;
  } catch {
    return text === '' ? undefined : text;
  }
}

export const pathOf = (collection: string): string =>
  `/collections/${encodeURIComponent(collection)}`;

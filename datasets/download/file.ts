import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { LeandexError } from '../../src/base/errors.js';

export interface DownloadOptions {
  /** More bytes than these are refused. */
  readonly bytesMost: number;
  readonly signal?: AbortSignal | undefined;
  /** Told of bytes that are here, of how many; NaN where the server does not say. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a server says of the bytes that it gives out. */
export interface Downloaded {
  readonly bytes: number;
  /** Without the quotes; that of an object in S3 is its MD5, unless it came there in parts. */
  readonly etag: string | undefined;
}

/**
 * Downloads to `path`.part, going on where an earlier attempt ended if the server still has the same
 * file (by If-Range); the caller checks it and gives it its name.
 * @throws LeandexError `IO_ERROR` when the server refuses or ends early (what came stays for the next
 * attempt), `RESOURCE_EXHAUSTED` for more bytes than allowed, `ABORTED` once the signal fires.
 */
export async function downloadPart(
  url: string,
  path: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  const { signal } = options;
  const part = `${path}.part`;
  const note = `${part}.etag`;
  const etagBefore = existsSync(note) ? readFileSync(note, 'utf8') : undefined;
  const have =
    etagBefore === undefined ? 0 : (statSync(part, { throwIfNoEntry: false })?.size ?? 0);
  try {
    const response = await fetch(url, {
      headers: {
        // What is counted and hashed are the bytes of the file, not those of their compression.
        'accept-encoding': 'identity',
        ...(have > 0 && { range: `bytes=${have}-`, 'if-range': etagBefore! }),
      },
      signal: signal ?? null,
    });
    if (response.status === 416 && have > 0) {
      // The part is as long as the file or longer: begin anew.
      await response.body?.cancel();
      discardPart(path);
      return await downloadPart(url, path, options);
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw failed(url, `status ${response.status}`);
    }
    const first = firstByte(response, have);
    const etag = response.headers.get('etag') ?? undefined;
    // A weak validator does not promise the same bytes.
    if (etag?.startsWith('"')) writeFileSync(note, etag);
    else rmSync(note, { force: true });
    const bytes = await receive(response, url, part, first, options);
    return { bytes, etag: etag?.replaceAll('"', '') };
  } catch (cause) {
    if (signal?.aborted) {
      throw new LeandexError('ABORTED', `the download of ${url} was aborted`, {
        cause: signal.reason,
      });
    }
    if (cause instanceof LeandexError) throw cause;
    throw failed(url, reasonOf(cause as Error), cause);
  }
}

/** Removes what a download left. */
export function discardPart(path: string): void {
  for (const ending of ['.part', '.part.etag']) rmSync(`${path}${ending}`, { force: true });
}

/** Where the bytes of a response begin. */
function firstByte(response: Response, have: number): number {
  if (response.status !== 206) return 0;
  const range = response.headers.get('content-range') ?? '';
  const start = Number(/^bytes (\d+)-/.exec(range)?.[1] ?? Number.NaN);
  if (start !== have) throw failed(response.url, `the range "${range}" for bytes from ${have} on`);
  return start;
}

async function receive(
  response: Response,
  url: string,
  part: string,
  first: number,
  { bytesMost, onProgress }: DownloadOptions,
): Promise<number> {
  const total = totalBytes(response, first);
  const refuse = (bytes: number) => {
    const message = `${url} has ${bytes} bytes or more, expected at most ${bytesMost}`;
    return new LeandexError('RESOURCE_EXHAUSTED', message, { details: { url, bytes, bytesMost } });
  };
  if (total > bytesMost) {
    await response.body!.cancel();
    throw refuse(total);
  }
  const file = await open(part, first > 0 ? 'r+' : 'w');
  let done = first;
  try {
    for await (const chunk of response.body!) {
      if (done + chunk.length > bytesMost) throw refuse(done + chunk.length);
      await writeAll(file, chunk, done);
      done += chunk.length;
      onProgress?.(done, total);
    }
    await file.truncate(done);
    await file.sync();
  } finally {
    await file.close();
  }
  if (done < total) throw failed(url, `the end after ${done} of ${total} bytes`);
  return done;
}

/** fetch() says only that it failed; why is in its cause. */
function reasonOf({ message, cause }: Error): string {
  const { message: why, code } = (cause ?? {}) as NodeJS.ErrnoException;
  const known = why || code;
  return known ? `${message}: ${known}` : message;
}

/** All bytes of the file; NaN where the server does not say. Of a range it may send less than asked for. */
function totalBytes({ status, headers }: Response, first: number): number {
  const whole = status === 206 ? /\/(\d+)$/.exec(headers.get('content-range') ?? '') : null;
  if (whole !== null) return Number(whole[1]);
  const length = headers.get('content-length');
  return length === null ? Number.NaN : first + Number(length);
}

/** On a disk that is nearly full a write may end early: what is left must not become a hole. */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

function failed(url: string, received: string, cause?: unknown): LeandexError {
  const message = `${url}: expected the file, received ${received}`;
  return new LeandexError('IO_ERROR', message, { details: { url }, cause });
}

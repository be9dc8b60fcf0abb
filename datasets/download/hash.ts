import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Hexadecimal hashes of a file, which is read as a stream. */
export async function hashesOf(
  path: string,
  signal?: AbortSignal,
): Promise<{ md5: string; sha256: string }> {
  const [md5, sha256] = [createHash('md5'), createHash('sha256')];
  for await (const chunk of createReadStream(path, { signal })) {
    md5.update(chunk);
    sha256.update(chunk);
  }
  return { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of its own that serves HTTP. */
export interface Sidecar {
  url: string;
  process: ChildProcess;
  /** Ends it, and gives its exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** `leandex serve`, as it is installed. */
export function startServer(folder: string, ...options: string[]): Promise<Sidecar> {
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  return start([main, 'serve', folder, '--port', '0', '--json', ...options]);
}

/** A server on the same framework that parses a body and answers what it is told. */
export function startEcho(answerFile: string): Promise<Sidecar> {
  return start([fileURLToPath(new URL('./echo.js', import.meta.url)), answerFile]);
}

async function start(command: string[]): Promise<Sidecar> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await Promise.race([
    once(child.stdout!, 'data').then(([data]) => String(data)),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`))),
  ]);
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    process: child,
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}

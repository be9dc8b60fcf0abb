import type { Command } from 'commander';
import { LeandexError } from '../base/errors.js';
import type { Limits, ServeOptions, Server } from '../server/index.js';
import { EXIT_OF_SIGNAL } from './cancel.js';
import { given, several, whole } from './flags.js';

interface ServeFlags {
  host: string;
  port: number;
  apiKeyEnv?: string;
  readOnlyKeyEnv?: string;
  allowHost?: string[];
  snapshots?: string;
  durability: string;
  readOnly?: boolean;
  logLevel: string;
  maxBody?: number;
  timeout?: number;
  snapshotTimeout?: number;
  concurrent?: number;
  queue?: number;
  grace: number;
  json?: boolean;
}

const API_KEY = 'LEANDEX_API_KEY';
const READ_ONLY_KEY = 'LEANDEX_READ_ONLY_API_KEY';
const SECONDS_MAX = 86_400;

export function addServeCommand(program: Command): void {
  const seconds = whole(1, SECONDS_MAX);
  program
    .command('serve')
    .description('serve a folder of collections over HTTP, to clients of Qdrant')
    .argument('<folder>', 'of the database, made if there is none; or :memory:')
    .option('--host <name>', 'where to listen; anything but this machine needs a key', '127.0.0.1')
    .option('--port <n>', '0 takes a free one', whole(0, 65_535), 6333)
    .option('--api-key-env <name>', `variable that holds the key (default: ${API_KEY}, if set)`)
    .option(
      '--read-only-key-env <name>',
      `for a key that may only read (default: ${READ_ONLY_KEY})`,
    )
    .option(
      '--allow-host <names>',
      'names in the Host header that are answered, by commas',
      several,
    )
    .option('--snapshots <folder>', 'where snapshots are kept (default: <folder>-snapshots)')
    .option('--durability <mode>', 'what a write survives: always, batched or process', 'always')
    .option('--read-only', 'beside another process that writes')
    .option('--max-body <MiB>', 'of a request (default: 32)', whole(1, 4096))
    .option('--timeout <seconds>', 'of a request that does not say itself (default: 60)', seconds)
    .option(
      '--snapshot-timeout <seconds>',
      'of a request that makes, sends or restores a snapshot (default: 3600)',
      seconds,
    )
    .option(
      '--concurrent <n>',
      'requests that are worked on at once (default: 64)',
      whole(1, 65_536),
    )
    .option(
      '--queue <n>',
      'requests that may wait for that; more are told 429 (default: 256)',
      whole(0, 65_536),
    )
    .option(
      '--grace <seconds>',
      'for requests under way when it is ended',
      whole(0, SECONDS_MAX),
      10,
    )
    .option(
      '--log-level <level>',
      'silent, error, warn, info or debug; JSON lines on stderr',
      'info',
    )
    .option('--json', 'print { "url": … } and nothing else')
    .addHelpText('after', EXAMPLES)
    .action(runServe);
}

const EXAMPLES = `
Examples:
  leandex serve ./data
  LEANDEX_API_KEY=… leandex serve ./data --host 0.0.0.0 --allow-host vectors.example.com
  curl -X PUT http://127.0.0.1:6333/collections/docs \\
    -H 'content-type: application/json' -d '{"vectors":{"size":4,"distance":"Cosine"}}'

SIGTERM and SIGINT end it: requests under way are finished, then the database is closed (exit code 0).
A second signal ends it at once; what was acknowledged is there all the same.
`;

async function runServe(folder: string, flags: ServeFlags): Promise<void> {
  const options = readFlags(flags);
  // Only this command needs the server, so only it waits for it to load.
  const { serve } = await import('../server/index.js');
  const server = await serve(folder, options);
  endOnSignals(server, flags.grace);
  const { url } = server;
  process.stdout.write(flags.json ? `${JSON.stringify({ url })}\n` : `leandex listens on ${url}\n`);
}

function readFlags(flags: ServeFlags): ServeOptions {
  const { host, port, snapshots, durability, readOnly, logLevel, allowHost } = flags;
  const apiKey = keyFrom('--api-key-env', flags.apiKeyEnv, API_KEY);
  const readOnlyApiKey = keyFrom('--read-only-key-env', flags.readOnlyKeyEnv, READ_ONLY_KEY);
  return {
    host,
    port,
    durability: durability as ServeOptions['durability'],
    readOnly,
    logLevel: logLevel as ServeOptions['logLevel'],
    apiKey,
    readOnlyApiKey,
    allowedHosts: allowHost,
    snapshots,
    limits: readLimits(flags),
  };
}

function readLimits(flags: ServeFlags): Partial<Limits> {
  const { maxBody, timeout, snapshotTimeout, concurrent, queue } = flags;
  const bodyBytes = maxBody && maxBody * 2 ** 20;
  return given({
    bodyBytes,
    timeoutSeconds: timeout,
    snapshotTimeoutSeconds: snapshotTimeout,
    concurrent,
    queue,
  });
}

/** Keys are no arguments: those are seen by everybody on the machine. */
function keyFrom(flag: string, name: string | undefined, usual: string): string | undefined {
  const key = process.env[name ?? usual];
  if (name !== undefined && !key) {
    throw new LeandexError('INVALID_ARGUMENT', `${flag}: the variable ${name} is not set`);
  }
  return key || undefined;
}

function endOnSignals(server: Server, graceSeconds: number): void {
  let isEnding = false;
  const end = (signal: keyof typeof EXIT_OF_SIGNAL) => {
    if (isEnding) process.exit(EXIT_OF_SIGNAL[signal]);
    isEnding = true;
    server.close({ graceSeconds }).then(
      () => process.exit(0),
      (error: Error) => {
        process.stderr.write(`leandex: ${error.message}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', end).on('SIGTERM', end);
}

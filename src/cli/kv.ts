import { type Command, InvalidArgumentError, Option } from 'commander';
import { checkOneOf } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import type { RunOptions } from '../base/steps.js';
import { nodeFileSystem } from '../format/file-system.js';
import { replaceFile } from '../format/replace-file.js';
import type { KvCache } from '../kv/cache.js';
import type { KvBasisChoice } from '../kv/compress-options.js';
import { compressKvAsync, KvModel } from '../kv/model.js';
import type { KvGrouping } from '../kv/options.js';
import type { KvShape, KvTokens } from '../kv/shape.js';
import { cancellable } from './cancel.js';
import { between, given, whole } from './flags.js';
import { type CacheFiles, findCache, readCache, type ShapeFlags } from './kv-input.js';
import {
  asCacheJson,
  asModelJson,
  cacheText,
  modelText,
  readKvFile,
  readKvModel,
} from './kv-report.js';

interface KvFlags extends ShapeFlags {
  out: string;
  bits?: number;
  group?: KvGrouping;
  sinks?: number;
  keyWeight?: number;
  json?: boolean;
}

interface CompressFlags extends KvFlags {
  model?: string;
  basis?: KvBasisChoice;
  bytes?: number;
  error?: number;
  recent?: number;
  refresh?: number;
}

const CACHE = 'a folder with keys.npy and values.npy, or <keys.npy>,<values.npy>';

export function addKvCommand(program: Command): void {
  const kv = program
    .command('kv')
    .description('compress the KV-caches of language models')
    .addHelpText('after', EXAMPLES);
  addTrain(kv);
  addCompress(kv);
  addInspect(kv);
}

const EXAMPLES = `
Keys are those before RoPE; both arrays are .npy of float16 or float32, [layers, tokens, kvHeads * headDim].
A folder may have a cache.json with { "kvHeads": …, "headDim": … }; --kv-heads and --head-dim tell it otherwise.

Examples:
  leandex kv train caches/alice caches/moby --kv-heads 3 --out smollm2.lxkv
  leandex kv compress caches/new --model smollm2.lxkv --out new.lxkv
  leandex kv inspect new.lxkv --model smollm2.lxkv
`;

function addTrain(kv: Command): void {
  withShape(kv.command('train'))
    .description('learn the bases of a language model from caches of sample texts')
    .argument('<caches...>', `some thousand tokens in all: each ${CACHE}`)
    .requiredOption('--out <file>', 'where the model goes')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', '\nExample:\n  leandex kv train caches/* --kv-heads 3 --out model.lxkv\n')
    .action(runTrain);
}

function addCompress(kv: Command): void {
  withShape(kv.command('compress'))
    .description('write a cache in few bytes')
    .argument('<cache>', CACHE)
    .requiredOption('--out <file>', 'where the compressed cache goes')
    .option('--model <file>', 'of kv train; without it the cache has a basis of its own')
    .addOption(
      new Option(
        '--basis <which>',
        'calibrated: that of the model (default); own; or auto',
      ).choices(['calibrated', 'own', 'auto']),
    )
    .option('--bytes <n>', 'budget of all tokens, instead of --bits', whole(1, 2 ** 52))
    .option('--error <x>', 'budget as a relative error, instead of --bits', between(1e-4, 1))
    .option('--recent <n>', 'appended tokens that stay exact (default: 64)', whole(0, 2 ** 20))
    .option(
      '--refresh <x>',
      'when appended tokens get bases anew (default: 2)',
      between(1, Infinity),
    )
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText(
      'after',
      `
Examples:
  leandex kv compress caches/new --model model.lxkv --bits 2 --out new.lxkv
  leandex kv compress keys.npy,values.npy --kv-heads 3 --error 0.1 --out new.lxkv
`,
    )
    .action(runCompress);
}

function addInspect(kv: Command): void {
  kv.command('inspect')
    .description('tell what a model or a compressed cache consists of')
    .argument('<file>', 'of kv train or kv compress')
    .option('--model <file>', 'whose bases the cache was compressed with')
    .option('--json', 'print one JSON object and nothing else')
    .addHelpText('after', '\nExample:\n  leandex kv inspect new.lxkv --model model.lxkv --json\n')
    .action(async (file: string, { model, json }: { model?: string; json?: boolean }) => {
      const found = await readKvFile(file, model);
      const isModel = found instanceof KvModel;
      if (json) print(isModel ? asModelJson(found) : asCacheJson(found));
      else process.stdout.write(isModel ? modelText(found) : cacheText(found));
    });
}

function withShape(command: Command): Command {
  return command
    .option('--kv-heads <n>', 'heads of keys and values in a layer', whole(1, 1024))
    .option('--head-dim <n>', 'numbers of a head', whole(1, 1024))
    .option('--layers <from-to>', 'only these, counted from 0', layerRange)
    .option('--bits <x>', 'for each number, exact tokens included (default: 2)', between(0.05, 8))
    .option('--group <n>', 'adjacent layers that share coefficients (default: auto)', grouping)
    .option('--sinks <n>', 'first tokens that are kept exact (default: 4)', whole(0, 1024))
    .option(
      '--key-weight <x>',
      'errors of keys against those of values (default: 1.5)',
      between(1e-3, 1e3),
    );
}

async function runTrain(caches: string[], flags: KvFlags): Promise<void> {
  // Before anything long: what is wrong with the last one is known at once.
  const files: CacheFiles[] = [];
  for (const cache of caches) files.push(await findCache(cache, flags));
  const model = await cancellable(async (run) => {
    async function* samples(): AsyncGenerator<KvTokens> {
      for (const file of files) yield await readCache(file, run.signal);
    }
    return KvModel.train(samples(), { ...files[0]!.shape, ...kvOptions(flags), ...run });
  });
  await replaceFile(nodeFileSystem, flags.out, (write) => write(model.toBytes()));
  const tokens = files.reduce((sum, file) => sum + file.tokens, 0);
  if (flags.json) print({ out: flags.out, tokens, ...asModelJson(model) });
  else process.stdout.write(`${flags.out}, of ${tokens} tokens\n${modelText(model)}`);
}

async function runCompress(path: string, flags: CompressFlags): Promise<void> {
  const model = flags.model === undefined ? undefined : await readModel(flags.model, flags);
  const { layers } = flags;
  const file = await findCache(path, model ? { ...model.options, layers } : flags);
  const cache = await cancellable(async (run) =>
    compress(await readCache(file, run.signal), model, file.shape, flags, run),
  );
  await replaceFile(nodeFileSystem, flags.out, (write) => write(cache.toBytes()));
  if (flags.json) print({ out: flags.out, ...asCacheJson(cache) });
  else process.stdout.write(`${flags.out}\n${cacheText(cache)}`);
}

async function compress(
  tokens: KvTokens,
  model: KvModel | undefined,
  shape: KvShape,
  flags: CompressFlags,
  run: RunOptions,
): Promise<KvCache> {
  const { bytes, error, recent, refresh, basis, bits } = flags;
  const budget = given({ bytes, error, recent, refresh });
  if (model !== undefined) {
    const all = { ...budget, ...given({ basis, bitsPerNumber: bits }) };
    return model.compressAsync(tokens, { ...all, ...run });
  }
  checkOneOf('--basis without --model', basis ?? 'own', ['own']);
  return compressKvAsync(tokens, {
    ...shape,
    ...kvOptions(flags),
    ...budget,
    basis: 'own',
    ...run,
  });
}

/** The model, which has its own way with what these flags are about. */
async function readModel(path: string, flags: KvFlags): Promise<KvModel> {
  for (const name of ['kvHeads', 'headDim', 'group', 'sinks', 'keyWeight'] as const) {
    if (flags[name] === undefined) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw outOfRange(flag, 'left out with --model, which has it', flags[name]);
  }
  return readKvModel(path);
}

function kvOptions({ bits, group, sinks, keyWeight }: KvFlags) {
  return given({ bitsPerNumber: bits, group, sinks, keyWeight });
}

function grouping(text: string): KvGrouping {
  return text === 'auto' ? text : whole(1, 1024)(text);
}

/** Reads 12-14, or 12. */
function layerRange(text: string): readonly [number, number] {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (from === undefined || Number(from) > Number(to)) {
    throw new InvalidArgumentError('It must be a layer, or the first and the last as in 12-14.');
  }
  return [Number(from), Number(to)];
}

function print(object: object): void {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}

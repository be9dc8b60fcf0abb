/** A call of one kernel on the memory of one index. */
export interface KernelTask {
  /** Names the memory; its instance is kept for the next task. */
  key: number;
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  kernel: string;
  args: readonly number[];
}

type Instance = Record<string, (...args: readonly number[]) => number | undefined>;

/** Instances kept, each of which keeps its memory: the last ones used. */
const KEPT = 8;

const instances = new Map<number, Instance>();

/** Runs a task: the function that the pool calls in its threads. */
export default function runTask({ key, module, memory, kernel, args }: KernelTask): number {
  let instance = instances.get(key);
  instances.delete(key);
  instance ??= new WebAssembly.Instance(module, { env: { memory } }).exports as Instance;
  instances.set(key, instance);
  const [oldest] = instances.keys();
  if (instances.size > KEPT) instances.delete(oldest!);
  return instance[kernel]!(...args) ?? 0;
}

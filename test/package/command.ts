import { execFile } from 'node:child_process';

/**
 * Runs a program to its end and gives what it wrote; an exit code other than 0 is an error that
 * shows everything the program wrote.
 */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...outerEnvironment(), ...env }, maxBuffer: 64 * 1024 * 1024 };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ stdout, stderr });
      const { code, signal } = error as { code?: number | string; signal?: string };
      const ending = signal ?? `exit code ${code}`;
      const command = [program, ...args].join(' ');
      reject(new Error(`${command}\n${ending} in ${cwd}\n${stdout}${stderr}`));
    });
  });
}

/** The environment without what `npm test` and vitest put into it: a user's shell has neither. */
function outerEnvironment(): NodeJS.ProcessEnv {
  const inner =
    /^(npm_(package|lifecycle|command|execpath)|npm_config_local_prefix$|VITEST|NODE_ENV$|TEST$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inner.test(name)));
}

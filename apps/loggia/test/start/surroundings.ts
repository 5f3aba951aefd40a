import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { TestContext } from 'vitest';

/** A user that owns nothing and may nothing, as the restricted pods of Kubernetes have it. */
export const NOBODY = 65_532;

/** Runs a command as that user, without capabilities and without a way to get any. */
export const AS_NOBODY: readonly string[] = [
  'setpriv',
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  '--clear-groups',
  '--no-new-privs',
  '--bounding-set=-all',
  '--inh-caps=-all',
];

/** A folder outside the system's folder for temporary files, which tests cover with mounts. */
export class WorkFolder {
  readonly path = mkdtempSync('/var/tmp/loggia-start-');

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The commands with their parameters, one run under the other. */
export function nested(...commands: readonly (readonly string[])[]): readonly string[] {
  return commands.flat();
}

/** Runs `script` in a shell, which then becomes the command that follows. */
export function afterScript(script: string): readonly string[] {
  return ['sh', '-c', `${script} && exec "$@"`, 'sh'];
}

/** Skips the test under the name of a condition unless `command` succeeds on this machine. */
export function need(context: TestContext, condition: string, command: readonly string[]): void {
  const [program = 'false', ...parameters] = command;
  const { status, stderr, error } = spawnSync(program, parameters, {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status === 0) return;
  const detail = (error?.message ?? stderr).trim().split('\n')[0];
  context.skip(`needs ${condition}: ${detail === '' ? `'${program}' failed` : detail}`);
}

/** Skips the test unless another user can be had who can read this program. */
export function needNobody(context: TestContext): void {
  need(context, 'setpriv', [...AS_NOBODY, 'true']);
  need(context, 'readable-checkout', [...AS_NOBODY, 'test', '-r', import.meta.filename]);
}

/** Asks systemd, the one of the machine or the one of the user. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

export type SystemdScope = 'system' | 'user';

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  /** What was said about a failure, on one line. */
  readonly said: string;
}

/** As sd_booted(3) decides it. */
export function isSystemdRunning(): boolean {
  return existsSync('/run/systemd/system');
}

export function systemctl(scope: SystemdScope, ...args: readonly string[]): Promise<ToolResult> {
  return runTool('systemctl', [...scopeArguments(scope), '--no-ask-password', ...args]);
}

/** Properties of a unit, as `systemctl show` answers them; empty where systemd does not answer. */
export async function showUnit(
  scope: SystemdScope,
  unit: string,
  ...names: readonly string[]
): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await systemctl(scope, 'show', unit, `--property=${names.join()}`);
  return Object.fromEntries(
    stdout.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}

export function scopeArguments(scope: SystemdScope): readonly string[] {
  return scope === 'user' ? ['--user'] : [];
}

/** Never rejects: a tool that is not there is one that failed. */
export function runTool(program: string, args: readonly string[], timeoutMs = 0): Promise<ToolResult> {
  return new Promise((answer) => {
    execFile(program, args, { env: toolEnvironment(), timeout: timeoutMs }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
      const said = stderr.trim() || (error?.killed ? `no answer within ${timeoutMs / 1000} s` : '');
      answer({ code, stdout, said: (said || (error?.message ?? '')).replaceAll(/\s*\n\s*/g, '; ') });
    });
  });
}

/** Where systemd of the user listens is known also in a shell that no login began: su, sudo, cron. */
function toolEnvironment(): NodeJS.ProcessEnv {
  const uid = process.getuid?.();
  return {
    ...process.env,
    LC_ALL: 'C',
    XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`,
  };
}

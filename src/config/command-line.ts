/** `upkeep start <script | "command line">`: one service without a file, under the same rules. */
import { basename, extname, resolve } from 'node:path';
import * as v from 'valibot';
import type { ServiceSpec } from '../protocol/index.js';
import {
  sortDiagnostics,
  toDiagnostic,
  type Outcome,
  type Path,
  type Problem,
  type Report,
} from './diagnostic.js';
import type { Draft, EnvLayer } from './draft.js';
import { freeze } from './freeze.js';
import { needsShell, splitWords } from './normalize/command.js';
import type { ShellEnv } from './normalize/environment.js';
import { findProgram, kindOf } from './normalize/lookup.js';
import { normalizeService } from './normalize.js';
import { checkDrafts } from './rules.js';
import { Env, problemsOf, Service } from './schema.js';
import { withoutUndefined } from './source/value.js';

/** What was given after `upkeep start`; durations, sizes and times as text. */
export interface CommandLine {
  /** A file, a program in PATH, or a whole command line. */
  readonly target: string;
  readonly args?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly instances?: number | 'max' | undefined;
  readonly ports?: readonly number[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly envFiles?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  readonly restart?: string | undefined;
  readonly interpreter?: string | undefined;
  readonly interpreterArgs?: string | readonly string[] | undefined;
  readonly memory?: string | number | undefined;
  /** Restarts the service at these times. */
  readonly cron?: string | undefined;
  readonly watch?: boolean | readonly string[] | undefined;
  /** `user` or `user:group`. */
  readonly user?: string | undefined;
  readonly killScope?: string | undefined;
  readonly grace?: string | number | undefined;
  readonly signal?: string | undefined;
  /** Run the target in /bin/sh, whether it looks so or not. */
  readonly shell?: boolean | undefined;
}

export interface CommandLineOptions {
  readonly cwd: string;
  readonly shellEnv: ShellEnv;
  /** What `node` means. @default process.execPath */
  readonly nodePath?: string;
}

export type CommandLineResult = Outcome<{ readonly services: readonly [ServiceSpec] }>;

export async function specFromCommandLine(
  line: CommandLine,
  options: CommandLineOptions,
): Promise<CommandLineResult> {
  const problems: Problem[] = [];
  const report: Report = (problem) => void problems.push({ severity: 'error', ...problem });
  const draft = await draftFrom(line, options, problems);
  const context = {
    folder: options.cwd,
    shellEnv: options.shellEnv,
    nodePath: options.nodePath ?? process.execPath,
    origin: { file: null, profile: null },
    isShell: line.shell ?? false,
  };
  const spec = await normalizeService(draft, context, report);
  const [service = spec] = await checkDrafts([{ draft, spec }], report);
  const diagnostics = sortDiagnostics(problems.map((problem) => toDiagnostic(asOption(problem), null, null)));
  if (diagnostics.some(({ severity }) => severity === 'error')) return { ok: false, diagnostics };
  return { ok: true, services: [freeze(service)], warnings: diagnostics };
}

async function draftFrom(
  line: CommandLine,
  options: CommandLineOptions,
  problems: Problem[],
): Promise<Draft> {
  const program = await programOf(line, options);
  const raw = withoutUndefined({ ...program, ...settingsOf(line) }) as Record<string, unknown>;
  const parsed = v.safeParse(Service, raw);
  const found = parsed.success ? [] : problemsOf(parsed.issues);
  const broken = new Set(found.map(({ path: [key] }) => String(key)));
  const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => !broken.has(key)));
  const repaired = v.safeParse(Service, rest);
  const env = v.safeParse(Env, line.env ?? {});
  problems.push(...found, ...(env.success ? [] : problemsOf(env.issues, ['env'])));
  return {
    name: line.name ?? defaultName(program),
    service: repaired.success ? repaired.output : {},
    alerts: [],
    env: env.success ? [layer(env.output)] : [],
    broken,
    place: (part) => part,
  };
}

function layer(values: EnvLayer['values']): EnvLayer {
  return { values, source: 'option', path: ['env'] };
}

interface ProgramChoice {
  readonly name: string | undefined;
  readonly script?: string;
  readonly command?: string | string[];
}

/** A file is a script; a program in PATH or a text with blanks is a command; else it was meant as a file. */
async function programOf(
  { target, name, shell, cwd = '.' }: CommandLine,
  options: CommandLineOptions,
): Promise<ProgramChoice> {
  const folder = resolve(options.cwd, cwd);
  if (shell) return { name, command: target };
  for (const base of [folder, options.cwd]) {
    const path = resolve(base, target);
    if ((await kindOf(path)) === 'file') return { name, script: path };
  }
  const isLine = /\s/.test(target.trim()) || needsShell(target);
  if (isLine) return { name, command: target };
  const looksLikePath = target.includes('/') || extname(target) !== '';
  const isProgram = (await findProgram(target, options.shellEnv['PATH'] ?? '', folder)) !== undefined;
  return isProgram || !looksLikePath ? { name, command: [target] } : { name, script: target };
}

function scriptName(script: string): string {
  return basename(script, extname(script)) || basename(script);
}

/** What is left when all that a name must not hold is taken away. */
function defaultName({ script, command }: ProgramChoice): string {
  const [first = 'service'] = typeof command === 'string' ? splitWords(command) : (command ?? []);
  const name = scriptName(script ?? first)
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[-.]+/, '')
    .slice(0, 64);
  return name === '' || name === 'all' ? 'service' : name;
}

function settingsOf(line: CommandLine): Record<string, unknown> {
  const { signal, grace, killScope, memory, cron } = line;
  const [user, group] = line.user?.split(':') ?? [];
  return {
    args: line.args,
    instances: line.instances,
    ports: line.ports,
    envFiles: line.envFiles,
    cwd: line.cwd,
    restart: line.restart,
    interpreter: line.interpreter,
    interpreterArgs: line.interpreterArgs,
    watch: line.watch,
    user,
    group,
    stop: { signal, grace, killScope },
    limits: { memory },
    schedule: cron === undefined ? undefined : { restart: cron },
    inheritEnv: true,
  };
}

const OPTIONS: Readonly<Record<string, string>> = {
  script: 'target',
  command: 'target',
  envFiles: '--env-file',
  group: '--user',
  interpreterArgs: '--interpreter-args',
  'limits.memory': '--memory',
  ports: '--port',
  'schedule.restart': '--cron',
  'stop.grace': '--grace',
  'stop.killScope': '--kill-scope',
  'stop.signal': '--signal',
};

/** The option that a path of the service stands for. */
function asOption(problem: Problem): Problem {
  const path: Path = problem.path.filter((item) => typeof item === 'string');
  const whole = path.join('.');
  const [first = ''] = path;
  const option = OPTIONS[whole] ?? OPTIONS[first] ?? (first === '' ? '' : `--${first}`);
  return { ...problem, path: option === '' ? [] : [option, ...(first === 'env' ? path.slice(1) : [])] };
}

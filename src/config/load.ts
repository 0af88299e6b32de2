/** Reads a configuration file into specifications, or into everything that is wrong with it. */
import { dirname, relative, resolve } from 'node:path';
import * as v from 'valibot';
import type { ServiceSpec } from '../protocol/index.js';
import { sortDiagnostics, toDiagnostic, type Outcome, type Problem, type Report } from './diagnostic.js';
import { draftServices, type Draft } from './draft.js';
import { freeze } from './freeze.js';
import { normalizeService, type NormalizeContext } from './normalize.js';
import type { ShellEnv } from './normalize/environment.js';
import { checkDrafts } from './rules.js';
import { Config, problemsOf } from './schema.js';
import { readConfig } from './source/read.js';
import { withoutUndefined } from './source/value.js';

export interface LoadOptions {
  /**
   * The profile whose changes are merged in.
   * @default null
   */
  profile?: string | null;
  /** Where variables for the services are taken from. @default process.env */
  shellEnv?: ShellEnv;
  /** What `node` means. @default process.execPath */
  nodePath?: string;
  /** Paths in diagnostics are shown relative to this folder. @default process.cwd() */
  cwd?: string;
}

export type LoadResult = Outcome<{ readonly file: string; readonly services: readonly ServiceSpec[] }>;

export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadResult> {
  const { profile = null, shellEnv = process.env, nodePath = process.execPath, cwd = process.cwd() } = options;
  const file = resolve(cwd, path);
  const read = await readConfig(file, showPath(file, cwd), { profile });
  if (!read.ok) return { ok: false, diagnostics: sortDiagnostics(read.diagnostics) };

  const context = { folder: dirname(file), shellEnv, nodePath, origin: { file, profile } };
  const { services, problems } = await interpret(withoutUndefined(read.value), profile, context);
  const locate = problems.length > 0 ? await read.locator() : undefined;
  const located = problems.map((problem) =>
    toDiagnostic(problem, read.source, locate?.(problem.path, problem.at ?? 'value') ?? null),
  );
  const diagnostics = sortDiagnostics([...read.findings, ...located]);
  if (diagnostics.some(({ severity }) => severity === 'error')) return { ok: false, diagnostics };
  return { ok: true, file, services, warnings: diagnostics };
}

interface Interpretation {
  readonly services: readonly ServiceSpec[];
  readonly problems: readonly Problem[];
}

/** Everything behind reading: shape, profile, rules, defaults. */
async function interpret(raw: unknown, profile: string | null, context: NormalizeContext): Promise<Interpretation> {
  const parsed = v.safeParse(Config, raw);
  const problems: Problem[] = parsed.success ? [] : problemsOf(parsed.issues);
  const report: Report = (problem) => void problems.push({ severity: 'error', ...problem });
  const drafts = draftServices({ raw, profile, problems: [...problems] }, report);
  const pairs = await Promise.all(
    drafts.map(async (draft: Draft) => ({ draft, spec: await normalizeService(draft, context, report) })),
  );
  const services = await checkDrafts(pairs, report);
  return { services: services.map(freeze), problems };
}

/** Inside the working folder a relative path is the shorter and the clickable one. */
function showPath(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short.startsWith('..') ? file : short;
}

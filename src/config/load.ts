/** Reads a configuration file into specifications, or into everything that is wrong with it. */
import { dirname, relative, resolve } from 'node:path';
import * as v from 'valibot';
import type { ServiceSpec } from '../protocol/index.js';
import {
  START,
  sortDiagnostics,
  toDiagnostic,
  type Diagnostic,
  type Outcome,
  type Problem,
  type Report,
} from './diagnostic.js';
import { draftServices, type Draft } from './draft.js';
import { freeze } from './freeze.js';
import { normalizeService, type NormalizeContext } from './normalize.js';
import type { ShellEnv } from './normalize/environment.js';
import { checkDrafts } from './rules.js';
import { Config, problemsOf } from './schema.js';
import { readConfig, type Readable } from './source/read.js';
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
  const {
    profile = null,
    shellEnv = { ...process.env },
    nodePath = process.execPath,
    cwd = process.cwd(),
  } = options;
  const file = resolve(cwd, path);
  const read = await readConfig(file, showPath(file, cwd), { profile });
  if (!read.ok) return { ok: false, diagnostics: sortDiagnostics(read.diagnostics) };

  const context = { folder: dirname(file), shellEnv, nodePath, origin: { file, profile } };
  const { services, problems } = await interpret(read, context);
  const located = await locateProblems(problems, read);
  const diagnostics = sortDiagnostics([...read.findings, ...located]);
  if (diagnostics.some(({ severity }) => severity === 'error')) return { ok: false, diagnostics };
  return { ok: true, file, services, warnings: diagnostics };
}

async function locateProblems(
  problems: readonly Problem[],
  { locator, source }: Readable,
): Promise<Diagnostic[]> {
  if (problems.length === 0) return [];
  const locate = await locator();
  return problems.flatMap((problem) => {
    const location = locate(problem.path, problem.at ?? 'value') ?? { ...START, isLiteral: true };
    const isMoot = problem.isAboutLiterals === true && !location.isLiteral;
    return isMoot ? [] : [toDiagnostic(problem, source, location)];
  });
}

interface Interpretation {
  readonly services: readonly ServiceSpec[];
  readonly problems: readonly Problem[];
}

/** Everything behind reading: shape, profile, rules, defaults. */
async function interpret(
  { value, isFromFunction }: Readable,
  context: NormalizeContext,
): Promise<Interpretation> {
  const raw = withoutUndefined(value);
  const parsed = v.safeParse(Config, raw);
  const problems: Problem[] = parsed.success ? [] : problemsOf(parsed.issues);
  const report: Report = (problem) => void problems.push({ severity: 'error', ...problem });
  const drafts = draftServices(
    { raw, profile: context.origin.profile, hasHiddenProfiles: isFromFunction, problems: [...problems] },
    report,
  );
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

/** Reads a configuration file into specifications, or into everything that is wrong with it. */
import { homedir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import * as v from 'valibot';
import type { ReleaseSpec, ServiceSpec } from '../protocol/index.js';
import {
  START,
  sortDiagnostics,
  toDiagnostic,
  type Diagnostic,
  type Outcome,
  type Problem,
  type Report,
} from './diagnostic.js';
import { draftServices, type Draft, type DraftSource } from './draft.js';
import { draftReleases, groupsOf, type ReleaseDraft } from './draft/release.js';
import { freeze } from './freeze.js';
import { normalizeService, type NormalizeContext } from './normalize.js';
import type { ShellEnv } from './normalize/environment.js';
import { releaseSpec } from './normalize/release.js';
import { adviseOnReleases, checkDrafts, checkReleaseDrafts } from './rules.js';
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
  /** The home of upkeep: releases lie in it that name no folder. @default UPKEEP_HOME of shellEnv, else ~/.upkeep */
  home?: string;
  /** Paths in diagnostics are shown relative to this folder. @default process.cwd() */
  cwd?: string;
}

export type LoadResult = Outcome<{
  readonly file: string;
  readonly services: readonly ServiceSpec[];
  /** Groups of them that are released together. */
  readonly releases: readonly ReleaseSpec[];
}>;

export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadResult> {
  const {
    profile = null,
    shellEnv = { ...process.env },
    nodePath = process.execPath,
    cwd = process.cwd(),
    home = resolve(shellEnv['UPKEEP_HOME'] || join(homedir(), '.upkeep')),
  } = options;
  const file = resolve(cwd, path);
  const read = await readConfig(file, showPath(file, cwd), { profile });
  if (!read.ok) return { ok: false, diagnostics: sortDiagnostics(read.diagnostics) };

  const context = { folder: dirname(file), shellEnv, nodePath, origin: { file, profile }, home };
  const { problems, ...specs } = await interpret(read, context);
  const located = await locateProblems(problems, read);
  const diagnostics = sortDiagnostics([...read.findings, ...located]);
  if (diagnostics.some(({ severity }) => severity === 'error')) return { ok: false, diagnostics };
  return { ok: true, file, ...specs, warnings: diagnostics };
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
  readonly releases: readonly ReleaseSpec[];
  readonly problems: readonly Problem[];
}

interface Context extends NormalizeContext {
  readonly home: string;
}

/** Everything behind reading: shape, profile, rules, defaults. */
async function interpret({ value, isFromFunction }: Readable, context: Context): Promise<Interpretation> {
  const raw = withoutUndefined(value);
  const parsed = v.safeParse(Config, raw);
  const problems: Problem[] = parsed.success ? [] : problemsOf(parsed.issues);
  const report: Report = (problem) => void problems.push({ severity: 'error', ...problem });
  const { profile } = context.origin;
  const source: DraftSource = { raw, profile, hasHiddenProfiles: isFromFunction, problems: [...problems] };
  const drafts = draftServices(source, report);
  const groups = draftReleases(source, context);
  checkReleaseDrafts(groups, { drafts, folder: context.folder }, report);
  const groupOf = groupsOf(groups);
  const pairs = await Promise.all(
    drafts.map(async (draft: Draft) => {
      const release = groupOf.get(draft.name) ?? null;
      return { draft, spec: await normalizeService(draft, { ...context, release }, report) };
    }),
  );
  const services = await checkDrafts(pairs, report);
  const releases = await interpretReleases(groups, { drafts, services }, context, report);
  if (!problems.some(({ severity }) => severity === 'error')) adviseOnReleases(groups, report);
  return { services: services.map(freeze), releases: releases.map(freeze), problems };
}

interface Interpreted {
  readonly drafts: readonly Draft[];
  readonly services: readonly ServiceSpec[];
}

async function interpretReleases(
  groups: readonly ReleaseDraft[],
  { drafts, services }: Interpreted,
  context: Context,
  report: Report,
): Promise<ReleaseSpec[]> {
  const haveUnknownPorts = new Set(
    drafts.filter(({ broken }) => broken.has('port') || broken.has('ports')).map(({ name }) => name),
  );
  return Promise.all(
    groups.map((group) => {
      const own = group.services.flatMap((name) => services.find((service) => service.name === name) ?? []);
      return releaseSpec(group, {
        folder: context.folder,
        cwd: context.folder,
        path: own[0]?.env['PATH']?.value ?? context.shellEnv['PATH'] ?? '',
        nodePath: context.nodePath,
        release: { group: group.name, folder: group.folder },
        services: own,
        haveUnknownPorts,
        refuse: (part, message, hint) =>
          report({ path: group.place(part), ...(part.length === 0 && { at: 'key' }), message, hint }),
      });
    }),
  );
}

/** Inside the working folder a relative path is the shorter and the clickable one. */
function showPath(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short.startsWith('..') ? file : short;
}

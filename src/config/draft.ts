/**
 * From a checked file to drafts: one per service, with the changes of the profile merged in. What the schema
 * refused is left out, so that the rules can still judge the rest.
 */
import * as v from 'valibot';
import { mostSimilar } from '../util/index.js';
import type { Path, Problem, Report } from './diagnostic.js';
import { mergeService } from './merge.js';
import {
  Alert,
  Env,
  isMap,
  Service,
  type ParsedAlert,
  type ParsedEnv,
  type ParsedService,
} from './schema.js';

/** Variables from one place. */
export interface EnvLayer {
  readonly values: ParsedEnv;
  readonly source: string;
  readonly path: Path;
}

/** An alert of the file, or of the profile in its place. */
export interface AlertDraft {
  readonly name: string;
  readonly alert: ParsedAlert;
  readonly path: Path;
}

export interface Draft {
  readonly name: string;
  readonly service: ParsedService;
  /** All of the file, whether they concern the service or not. */
  readonly alerts: readonly AlertDraft[];
  /** Later ones win. */
  readonly env: readonly EnvLayer[];
  /** Keys that the schema refused: what is said about them is said already. */
  readonly broken: ReadonlySet<string>;
  /** Where in the file a part of the service stands: in the profile, if that has changed it. */
  place(part: Path): Path;
}

export interface DraftSource {
  readonly raw: unknown;
  readonly profile: string | null;
  /** The file may know more profiles than it lists. */
  readonly hasHiddenProfiles: boolean;
  /** What the schema found. */
  readonly problems: readonly Problem[];
}

export function draftServices(source: DraftSource, report: Report): Draft[] {
  const { raw, profile, problems } = source;
  if (!isMap(raw)) return [];
  const profilePath = profilePathOf(source);
  const changes = profile === null ? undefined : at(raw, profilePath);
  const mayBeHidden = source.hasHiddenProfiles && !('profiles' in raw);
  const isUnknown = profile !== null && changes === undefined && !mayBeHidden;
  if (isUnknown) reportUnknownProfile(raw, profile, report);
  const isRefused = (path: Path): boolean => problems.some((problem) => startsWith(problem.path, path));
  const layer = (path: Path, source: string): EnvLayer => ({
    values: readEnv(raw, path, isRefused),
    source,
    path,
  });
  reportEmpty(raw, report);
  const fromProfile = `profile:${profile}`;
  const alerts = draftAlerts(raw, [['alerts'], [...profilePath, 'alerts']], isRefused);
  const shared = [layer(['env'], 'config'), layer([...profilePath, 'env'], fromProfile)];

  const drafts = entriesOf(raw).map(({ name, base }): Draft => {
    const over: Path = [...profilePath, 'services', name];
    const own = readService(raw, base, isRefused);
    const override = readService(raw, over, isRefused);
    return {
      name,
      service: mergeService(own.service, override.service),
      alerts,
      env: [...shared, layer([...base, 'env'], 'config'), layer([...over, 'env'], fromProfile)],
      broken: new Set([...own.broken, ...override.broken]),
      place: (part) =>
        part.length > 0 && at(raw, [...over, ...part]) !== undefined
          ? [...over, ...part]
          : [...base, ...part],
    };
  });
  reportUnknownServices(changes, drafts, profilePath, report);
  return drafts;
}

export function profilePathOf({ profile }: DraftSource): Path {
  return ['profiles', profile ?? ''];
}

interface Entry {
  readonly name: string;
  readonly base: Path;
}

function entriesOf({ services }: Record<string, unknown>): Entry[] {
  if (isMap(services)) return Object.keys(services).map((name) => ({ name, base: ['services', name] }));
  if (!Array.isArray(services)) return [];
  return services.flatMap((service: unknown, index): Entry[] => {
    const name = isMap(service) ? service['name'] : undefined;
    return typeof name === 'string' ? [{ name, base: ['services', index] }] : [];
  });
}

interface ReadService {
  readonly service: ParsedService;
  readonly broken: readonly string[];
}

function readService(raw: unknown, path: Path, isRefused: (path: Path) => boolean): ReadService {
  const value = at(raw, path);
  if (value === undefined) return { service: {}, broken: [] };
  if (!isMap(value)) return { service: {}, broken: Object.keys(Service.entries) };
  const broken = Object.keys(value).filter((key) => isRefused([...path, key]));
  const rest = Object.entries(value).filter(([key]) => !broken.includes(key));
  const parsed = v.safeParse(Service, Object.fromEntries(rest));
  return { service: parsed.success ? parsed.output : {}, broken };
}

/** Later ones take the place of those of the same name. */
function draftAlerts(
  raw: unknown,
  paths: readonly Path[],
  isRefused: (path: Path) => boolean,
): readonly AlertDraft[] {
  const drafts = new Map<string, AlertDraft>();
  for (const base of paths) {
    const value = at(raw, base);
    for (const [name, each] of Object.entries(isMap(value) ? value : {})) {
      const path = [...base, name];
      const parsed = isRefused(path) ? undefined : v.safeParse(Alert, each);
      if (parsed?.success) drafts.set(name, { name, alert: parsed.output, path });
    }
  }
  return [...drafts.values()];
}

function readEnv(raw: unknown, path: Path, isRefused: (path: Path) => boolean): ParsedEnv {
  const value = at(raw, path);
  const entries = isMap(value) ? Object.entries(value).filter(([key]) => !isRefused([...path, key])) : [];
  const parsed = v.safeParse(Env, Object.fromEntries(entries));
  return parsed.success ? parsed.output : {};
}

function reportEmpty({ services }: Record<string, unknown>, report: Report): void {
  const isEmpty = typeof services === 'object' && services !== null && Object.keys(services).length === 0;
  if (!isEmpty) return;
  report({
    path: ['services'],
    at: 'key',
    message: 'no service is listed',
    hint: 'write services: {api: {script: server.js}}',
  });
}

function reportUnknownProfile(raw: Record<string, unknown>, profile: string, report: Report): void {
  const known = Object.keys(isMap(raw['profiles']) ? raw['profiles'] : {});
  const near = mostSimilar(profile, known);
  const names = known.length > 0 ? `known: ${known.join(', ')}` : 'the file has no profiles';
  report({
    path: ['profiles'],
    at: 'key',
    message: `"${profile}" is not a known profile`,
    hint: near ? `did you mean "${near}"? (${names})` : names,
  });
}

function reportUnknownServices(changes: unknown, drafts: readonly Draft[], base: Path, report: Report): void {
  const services = isMap(changes) ? changes['services'] : undefined;
  const known = drafts.map(({ name }) => name);
  for (const name of Object.keys(isMap(services) ? services : {})) {
    if (known.includes(name)) continue;
    const near = mostSimilar(name, known);
    report({
      path: [...base, 'services', name],
      at: 'key',
      message: `the profile changes "${name}", which is not a service of this file`,
      hint: near ? `did you mean "${near}"?` : `known services: ${known.join(', ')}`,
    });
  }
}

export function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, item) => (inner as Record<string | number, unknown> | null | undefined)?.[item],
    value,
  );
}

export function startsWith(path: Path, start: Path): boolean {
  return start.every((item, index) => path[index] === item);
}

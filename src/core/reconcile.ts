/** Compares the services that are wanted with those that exist: what `up` does and what `diff` shows. */
import type { ServiceSpec, SpecChange } from '../protocol/index.js';
import { isBaseVariable } from './environment.js';

export interface Existing {
  readonly spec: ServiceSpec;
  readonly isWanted: boolean;
}

/** Keys that take effect without replacing a running instance. */
const LIVE_KEYS = new Set([
  'instances',
  'restart',
  'stop',
  'reload',
  'limits',
  'logs',
  'alerts',
  'schedule',
  'watch',
  'dependsOn',
  'restartWithDependencies',
  'health',
  'eventLoop',
  'ready',
  'origin',
  'release',
]);
/** Keys, at any depth, whose values may hold secrets: only that they differ is told. */
const OPAQUE_KEYS = new Set(['env', 'secrets', 'argv', 'alerts']);
const OPAQUE = '(set)';
const URL_PASSWORD = /(:\/\/[^\s:/@]*:)[^\s/@]+@/g;

/** One row per service, in the given order; then what came from the same files and is no longer there. */
export function reconcile(
  wanted: readonly ServiceSpec[],
  existing: ReadonlyMap<string, Existing>,
): SpecChange[] {
  const rows = wanted.map((spec) => compare(spec, existing.get(spec.name)));
  const files = new Set(wanted.map((spec) => spec.origin.file).filter((file) => file !== null));
  const names = new Set(wanted.map((spec) => spec.name));
  for (const [name, { spec }] of existing) {
    if (spec.origin.file !== null && files.has(spec.origin.file) && !names.has(name)) {
      rows.push({ service: name, action: 'orphan', changes: [] });
    }
  }
  return rows;
}

function compare(spec: ServiceSpec, existing: Existing | undefined): SpecChange {
  if (!existing) return { service: spec.name, action: 'create', changes: [] };
  const changes = changedKeys(existing.spec, spec);
  if (changes.length === 0) {
    return { service: spec.name, action: existing.isWanted ? 'keep' : 'start', changes };
  }
  const isLive = changes.every(({ key }) => LIVE_KEYS.has(key.split('.')[0]!));
  return { service: spec.name, action: isLive && existing.isWanted ? 'update' : 'recreate', changes };
}

function changedKeys(before: ServiceSpec, after: ServiceSpec): SpecChange['changes'] {
  const changes: SpecChange['changes'] = [];
  const walk = (from: unknown, to: unknown, path: readonly string[]): void => {
    if (stable(from) === stable(to) || isSourceOfVariable(path) || isOfTheShell(path, from, to)) return;
    if (path.length < 3 && isRecord(from) && isRecord(to)) {
      for (const key of new Set([...Object.keys(from), ...Object.keys(to)]))
        walk(own(from, key), own(to, key), [...path, key]);
      return;
    }
    const isOpaque = path.some((key) => OPAQUE_KEYS.has(key));
    changes.push({ key: path.join('.'), from: show(from, isOpaque), to: show(to, isOpaque) });
  };
  walk(before, after, []);
  return changes;
}

/** Where a variable comes from is no difference; its value is. */
function isSourceOfVariable(path: readonly string[]): boolean {
  return path.length === 3 && path[0] === 'env' && path[2] === 'source';
}

/** A base variable that the shell gave both times. */
function isOfTheShell([part, key, ...below]: readonly string[], ...values: readonly unknown[]): boolean {
  if (part !== 'env' || key === undefined || below.length > 0 || !isBaseVariable(key)) return false;
  return values.every((value) => value === undefined || (isRecord(value) && value['source'] === 'shell'));
}

/** A variable may be called `constructor`. */
function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function show(value: unknown, isOpaque: boolean): string | null {
  if (value === undefined || value === null) return null;
  if (isOpaque) return OPAQUE;
  const conceal = (key: string, inner: unknown): unknown => (OPAQUE_KEYS.has(key) ? OPAQUE : inner);
  const text = typeof value === 'string' ? value : JSON.stringify(value, conceal);
  return text.replace(URL_PASSWORD, `$1${OPAQUE}@`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with sorted keys: equal text, equal value. Absent is null. */
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join()}]`;
  if (!isRecord(value)) return JSON.stringify(value ?? null);
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${stable(value[key])}`)
    .join()}}`;
}

/**
 * Decides what a release runs with, its services, hooks and smoke checks: every path through `<folder>/current` becomes one through the folder of that
 * release. `current` may lead elsewhere a moment later; an instance that lives, or is restarted, must not notice.
 */
import type { CheckSpec, SecretSpec, ServiceSpec, SmokeSpec } from '../protocol/index.js';

/** `current`: the path of the link, `<folder>/current`. `release`: the folder that it stands for. */
export function settle(spec: ServiceSpec, current: string, release: string): ServiceSpec {
  const text = settler(current, release);
  const texts = (all: readonly string[]): string[] => all.map(text);
  const check = (one: CheckSpec): CheckSpec => settleCheck(one, text);
  const { ready, health, reload, watch } = spec;
  return {
    ...spec,
    script: spec.script === null ? null : text(spec.script),
    argv: texts(spec.argv),
    cwd: text(spec.cwd),
    env: mapValues(spec.env, (each) => ({ ...each, value: text(each.value) })),
    envFiles: texts(spec.envFiles),
    secrets: mapValues(spec.secrets, (each) => settleSecret(each, text)),
    sockets: { ...spec.sockets, paths: texts(spec.sockets.paths) },
    ready: ready.on === 'check' ? { ...ready, check: check(ready.check) } : ready,
    health: health && { ...health, check: check(health.check) },
    reload: { ...reload, verify: reload.verify && { ...reload.verify, check: check(reload.verify.check) } },
    watch: watch && { ...watch, paths: texts(watch.paths), ignore: texts(watch.ignore) },
  };
}

export function settleSmoke(smoke: readonly SmokeSpec[], current: string, release: string): SmokeSpec[] {
  const text = settler(current, release);
  return smoke.map((one) => ({ ...one, check: settleCheck(one.check, text) }));
}

/** Where the path stands in a text: alone, or as one of several words, as in PATH, `--config=…` and `--require …`. */
export function settler(current: string, release: string): (text: string) => string {
  const begin = String.raw`(?<=^|[\s=:,;"'(]|file://)`;
  const end = String.raw`(?=$|[/\s:,;"')])`;
  const path = new RegExp(`${begin}${current.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}${end}`, 'g');
  return (text) => text.replace(path, () => release);
}

function settleCheck(check: CheckSpec, text: (path: string) => string): CheckSpec {
  return check.on === 'command' ? { ...check, argv: check.argv.map(text) } : check;
}

function settleSecret(secret: SecretSpec, text: (path: string) => string): SecretSpec {
  return 'file' in secret ? { file: text(secret.file) } : { command: secret.command.map(text) };
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

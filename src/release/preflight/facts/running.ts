/**
 * Which configuration keys are other than in the release that runs: by names alone. What its instances were started with is
 * asked of the kernel, because files that are shared between releases may have changed since.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isBaseVariable } from '../../../core/index.js';
import type { ReleaseView } from '../../../protocol/index.js';
import { findByEnvironment, readEnvironment, readProcess } from '../../../system/index.js';
import { leavesOf, readConfigFile } from './config-file.js';
import type { Facts, ServiceFacts } from './facts.js';

/** What upkeep itself gives to an attempt. */
const OF_UPKEEP = /^(?:UPKEEP_|LISTEN_|NOTIFY_SOCKET$|NODE_OPTIONS$|NODE_CHANNEL_)/;
const SHIM_NAME = 'upkeep-shim';

type Values = ReadonlyMap<string, string>;

export function compareKeys(facts: Facts): ReleaseView['keys'] {
  const { job, folder, services, files, host } = facts;
  const { previous } = job;
  if (!previous) return { added: [], removed: [], changed: [] };
  // A path in the release is other in each of them, and says nothing.
  const plain = (value: string): string => value.replaceAll(previous.folder, folder);
  const all = services.flatMap((service) => {
    const before = runningEnvironment(job.home, service.spec.name);
    if (!before) return [];
    const [from, to] = [before, newEnvironment(service)].map((values) =>
      mapValues(withoutShell(values, service), plain),
    );
    return [compare(from!, to!)];
  });
  for (const { path, content } of files) {
    if (!content || !existsSync(join(previous.folder, path))) continue;
    const before = readConfigFile(previous.folder, path, host).content;
    if (before) all.push(compare(leafValues(before, path), leafValues(content, path)));
  }
  const collect = (which: keyof ReleaseView['keys']): string[] =>
    [...new Set(all.flatMap((each) => each[which]))].sort();
  return { added: collect('added'), removed: collect('removed'), changed: collect('changed') };
}

export function compare(before: Values, after: Values): ReleaseView['keys'] {
  return {
    added: [...after.keys()].filter((key) => !before.has(key)),
    removed: [...before.keys()].filter((key) => !after.has(key)),
    changed: [...after.keys()].filter((key) => before.has(key) && before.get(key) !== after.get(key)),
  };
}

/** Of one instance that lives: the process that a shim has started. undefined: none is seen. */
function runningEnvironment(home: string, service: string): Values | undefined {
  for (const { pid, parent, name } of findByEnvironment(`UPKEEP_SERVICE=${service}`)) {
    if (name === SHIM_NAME || readProcess(parent)?.name !== SHIM_NAME) continue;
    const environment = readEnvironment(pid);
    if (environment?.['UPKEEP_HOME'] !== home) continue;
    return new Map(Object.entries(environment).filter(([key]) => !OF_UPKEEP.test(key)));
  }
  return undefined;
}

function newEnvironment({ environment }: ServiceFacts): Values {
  const values = [...environment].map(([key, { value }]): [string, string] => [key, value]);
  return new Map(values.filter(([key]) => !OF_UPKEEP.test(key)));
}

/** What the shell of who asks gives is other in each of them, and says nothing. */
function withoutShell(values: Values, { environment }: ServiceFacts): Values {
  const isOfShell = (key: string): boolean => (environment.get(key)?.source ?? 'shell') === 'shell';
  return new Map([...values].filter(([key]) => !(isBaseVariable(key) && isOfShell(key))));
}

function leafValues(content: unknown, path: string): Values {
  return new Map(leavesOf(content).map(({ key, value }) => [`${path}: ${key}`, JSON.stringify(value)]));
}

function mapValues(values: Values, change: (value: string) => string): Values {
  return new Map([...values].map(([key, value]) => [key, change(value)]));
}

/**
 * Whether native modules of the release load with the Node.js of its services: one that was built for another Node, another system or
 * another C library ends every instance as soon as it is required.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Facts, ServiceFacts } from '../facts/facts.js';
import type { Finding } from '../finding.js';
import { runProbe, whyNoProbe } from '../probe/run-probe.js';
import type { ProbeLine } from '../probe/task.js';
import { count, listWords, within } from '../words.js';
import { byRuntime } from './runtime.js';
import { candidatesOf, wordLoadError, type NativeModule } from './native-files.js';

export async function judgeNativeModules(facts: Facts, signal: AbortSignal): Promise<Finding[]> {
  const files = findNativeFiles(facts.folder);
  if (files.length === 0) return [];
  const runtimes = byRuntime(facts).filter(({ services }) => whyNoProbe(services[0]!.user) === undefined);
  const found = await Promise.all(
    runtimes.map(({ node, services }) => {
      const names = services.map(({ spec }) => spec.name);
      return judgeRuntime({ node, service: services[0]!, names, files }, facts, signal);
    }),
  );
  return found.flat();
}

interface Runtime {
  readonly node: string;
  readonly service: ServiceFacts;
  readonly names: readonly string[];
  readonly files: readonly string[];
}

async function judgeRuntime(runtime: Runtime, facts: Facts, signal: AbortSignal): Promise<Finding[]> {
  const { node, service, names, files } = runtime;
  const { folder, host } = facts;
  const options = { node, cwd: folder, user: service.user, signal };
  const { lines } = await runProbe({ task: 'version' }, options);
  const about = lines.find((line) => 'version' in line);
  if (!about) return []; // told by another rule
  const modules = candidatesOf(folder, files, about);
  const errors = await loadAll(
    modules.flatMap((module) => module.files),
    options,
  );
  const broken = modules.filter((module) => module.files.every((file) => errors.get(file) !== null));
  const findings = broken.map((module): Finding => {
    const text = wordModule(module, errors.get(module.files[0]!) ?? '', about.version);
    return {
      area: 'host',
      rule: 'native-module',
      subject: module.name,
      verdict: 'failed',
      text: `${text} (${within(folder, module.files[0]!)}, for ${listWords(names)} on host "${host}")`,
      hint: `install on this host, or with Node.js ${about.version}: npm rebuild ${module.name}`,
    };
  });
  if (findings.length > 0 || modules.length === 0) return findings;
  const text = `${count(modules.length, 'native module')} load with Node.js ${about.version}`;
  return [{ area: 'host', rule: 'native-module', verdict: 'passed', text }];
}

function wordModule({ name }: NativeModule, error: string, version: string): string {
  return `${name} ${wordLoadError(error, version)}`;
}

/** null: it was loaded. A module that kills the process is found as the last one that was begun; the others go on in a new one. */
async function loadAll(
  files: readonly string[],
  options: Parameters<typeof runProbe>[1],
): Promise<ReadonlyMap<string, string | null>> {
  const outcomes = new Map<string, string | null>();
  for (let rest = files; rest.length > 0; rest = files.filter((file) => !outcomes.has(file))) {
    const { lines, died } = await runProbe({ task: 'load', files: rest }, options);
    for (const line of lines) if ('loaded' in line) outcomes.set(line.loaded, line.error);
    const last = lines.findLast((line): line is Extract<ProbeLine, { loading: string }> => 'loading' in line);
    const culprit = last?.loading ?? rest[0]!;
    if (rest.some((file) => !outcomes.has(file))) {
      const unfinished = outcomes.has(culprit) ? rest.find((file) => !outcomes.has(file))! : culprit;
      outcomes.set(unfinished, `the process that loads it ${died ?? 'was killed'}`);
    }
  }
  return outcomes;
}

/** Beyond these a release is no release of a program. */
const MOST_FOLDERS = 50_000;

/** Links lead to what lies in the release anyway, or out of it. */
function findNativeFiles(folder: string): string[] {
  const found: string[] = [];
  const pending = [folder];
  for (let looked = 0; pending.length > 0 && looked < MOST_FOLDERS; looked++) {
    const next = pending.pop()!;
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      if (entry.isDirectory()) pending.push(join(next, entry.name));
      else if (entry.isFile() && entry.name.endsWith('.node')) found.push(join(next, entry.name));
    }
  }
  return found.sort();
}

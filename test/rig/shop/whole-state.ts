/** Looks whether a service of a release is in a whole state: one version with all its instances, and nothing of another one left. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findByEnvironment, readProcess } from '../../../src/system/index.js';
import type { Rig } from '../rig.js';
import { visit } from '../visit.js';
import type { Build } from './builds.js';
import type { Shop } from './shop.js';

const VISITS = 20;

/** Of what goes by itself once a release is over: a shim that was let go, a lock, what is being removed. */
const PATIENCE_MS = 10_000;

/** Answers what is still not as it should be where this build serves and no release is being made; nothing: all is. */
export async function whatIsNotWhole(shop: Shop, serving: Build, instances: number): Promise<string[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const wrong = await look(shop, serving, instances);
    if (wrong.length === 0 || performance.now() > deadline) return wrong;
    await delay(50);
  }
}

async function look(shop: Shop, serving: Build, instances: number): Promise<string[]> {
  const { rig } = shop;
  const wrong: string[] = [];
  const note = (isRight: boolean, words: string): void => {
    if (!isRight) wrong.push(words);
  };
  const now = (await rig.service('shop')).instances;
  const roles = now.map(({ role, status }) => `${role} ${status}`);
  note(
    now.length === instances && roles.every((each) => each === 'serving running'),
    `instances: ${roles.join(', ')}`,
  );
  const versions = await versionsThatAnswer(shop.port);
  note(versions.join() === serving.version, `${versions.join(' and ')} answers, not ${serving.version}`);
  const own = new Set(now.flatMap(({ pid }) => (pid === null ? [] : [pid, readProcess(pid)?.parent])));
  const others = processesOf(rig).filter((pid) => !own.has(pid));
  note(others.length === 0, `left over: pid ${others.join(', ')}`);
  const folder = join(rig.home.path, 'releases', 'shop');
  note(!existsSync(join(folder, '.lock')), 'a lock is held');
  const hidden = readdirSync(folder).filter((name) => /^\.(?:staging|removing|current|lock)/.test(name));
  note(hidden.length === 0, `left over: ${hidden.join(', ')}`);
  const [group] = await rig.client.call('releases');
  const current = group!.releases.find(({ id }) => id === group!.current);
  note(current?.build?.version === serving.version, `${current?.build?.version} is said to serve`);
  note(
    readlinkSync(join(folder, 'current')) === basename(current?.folder ?? ''),
    `current leads to ${readlinkSync(join(folder, 'current'))}, and ${current?.folder} serves`,
  );
  wrong.push(...tornFiles(serving, current?.folder ?? folder));
  return wrong;
}

/** Of each file of a build: what is there of it in a release. */
export function tornFiles({ root }: Build, release: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .flatMap((path) => {
      const there = readIfAny(join(release, path));
      if (there === undefined) return [`${join(release, path)} is gone`];
      const isSame = there.equals(readFileSync(join(root, path)));
      return isSame ? [] : [`${join(release, path)} is not what it was: ${there.length} bytes`];
    });
}

async function versionsThatAnswer(port: number): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: VISITS }, () => visit(port)));
  return [...new Set(answers.map((text) => text.split(' ')[1] ?? text))].sort();
}

/** Of instances and what keeps them. */
function processesOf(rig: Rig): number[] {
  const all = new Set(rig.processes().map(({ pid }) => pid));
  return findByEnvironment('UPKEEP_SERVICE=shop').flatMap(({ pid }) => (all.has(pid) ? [pid] : []));
}

function readIfAny(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * What ended a program stands in `list`: dozens of ways to crash and of traps, on Node 7.10 to 26, Python, Java, Go and Rust; 0 wrong.
 *
 * Java, Go and Rust are played by programs that print what they would. At a scale below 1: one round, and only the Node that runs
 * this.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { wordEnd } from '../../src/cli/output/exit.js';
import { Rig } from '../../test/rig/index.js';
import { install, VERSIONS } from '../port/node-versions/versions.js';
import { nodeCases, otherCases, stageApps, type Case } from './crash-reasons-are-shown/cases.js';

const ROUNDS = 3;
const DEADLINE_MS = 120_000;

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, versions: { type: 'string' } },
});
const isWhole = Number(values.scale) >= 1;
const installed = {
  name: process.versions.node,
  major: Number.parseInt(process.versions.node),
  program: process.execPath,
};
const nodes =
  isWhole || values.versions ? (values.versions?.split(',') ?? VERSIONS).map(install) : [installed];
const groups: readonly ((folder: string) => Case[])[] = [
  otherCases,
  ...nodes.map((node) => (folder: string) => nodeCases(node, folder)),
];
const wrong: string[] = [];
const names = new Set<string>();
let count = 0;
let shown = 0;

for (let round = 0; round < (isWhole ? ROUNDS : 1); round++)
  for (const group of groups) {
    await using rig = await Rig.create();
    const folder = join(rig.folder, 'programs');
    mkdirSync(folder);
    stageApps(folder);
    const cases = group(folder);
    await rig.up(Object.fromEntries(cases.map(({ name, service }) => [name, service]))); // it fails where one ends at once, as many are to
    for (const { name, expected } of cases) {
      const found = await reasonOf(rig, name);
      count++;
      names.add(name.replace(/^node-\w+?-/, 'node-'));
      if (found !== null) shown++;
      if (!isRight(found, expected)) wrong.push(`${name}: shown is ${found}, it was ${expected}`);
    }
  }

for (const line of wrong) console.log(line);
console.log(
  `${names.size} ways to end, ${nodes.length} versions of Node, ${count} ends: ${shown} with a reason, ${count - shown} without, ${wrong.length} wrong`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** As `upkeep list` words it. */
async function reasonOf(rig: Rig, name: string): Promise<string | null> {
  const exit = await rig.until(
    `${name} has ended`,
    async () => {
      const { instances } = await rig.client.call('service', { params: { name } });
      return instances[0]?.status === 'completed' ? instances[0].exit : undefined;
    },
    DEADLINE_MS,
  );
  return exit.error ? wordEnd(exit) : null;
}

/** Of long or changing messages the beginning is known. */
function isRight(found: string | null, expected: string | null): boolean {
  return found === null || expected === null ? found === expected : found.startsWith(expected);
}

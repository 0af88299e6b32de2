/**
 * A million lines, then exit(), SIGKILL or a crash in native code: whatever the print call returned from is in the log.
 *
 * Node, Python and C, each in its ways to print, with one instance and with four. What a program keeps in its own memory nobody
 * can save: plain print() of Python and printf() of C are run as well, and what they lose is shown. Without a C compiler C
 * and the crash of Node are left out, and that is said.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { ServiceConfig } from '../../src/config/index.js';
import { formatTable } from '../../src/cli/output/table.js';
import { Rig } from '../../test/rig/index.js';
import { countLines, type Count } from './last-words-are-kept/count-lines.js';

const LINES = 1_000_000;
const DEADLINE_MS = 600_000;
const INSTANCES = [1, 4];
const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string' } },
});
const lines = Math.max(1000, Math.round(LINES * Number(values.scale)));

interface Way {
  readonly name: string;
  readonly command: (folder: string) => readonly string[];
  readonly ends: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints goes through a buffer of its own. */
  readonly mayLose?: boolean;
}

const app = (name: string): string => fileURLToPath(new URL(`apps/${name}`, import.meta.url));
const hasCompiler = spawnSync('cc', ['--version']).error === undefined;
const ALL_ENDS = ['exit', 'kill', 'fault'];
const NODE_ENDS = hasCompiler ? [...ALL_ENDS, 'abort'] : ['exit', 'kill', 'abort'];
const node =
  (how: string): Way['command'] =>
  () => [process.execPath, app('last-words.cjs'), how];
const python =
  (how: string): Way['command'] =>
  () => ['/usr/bin/python3', app('last-words.py'), how];
const c =
  (how: string, ...before: string[]): Way['command'] =>
  (folder) => [...before, join(folder, 'last-words'), how];
const WAYS: readonly Way[] = [
  { name: 'node-console', command: node('console'), ends: NODE_ENDS },
  { name: 'node-stream', command: node('stream'), ends: NODE_ENDS },
  { name: 'python-unbuffered', command: python('plain'), ends: ALL_ENDS, env: { PYTHONUNBUFFERED: '1' } },
  { name: 'python-flush', command: python('flush'), ends: ALL_ENDS },
  { name: 'python-plain', command: python('plain'), ends: ALL_ENDS, mayLose: true },
  ...(hasCompiler
    ? [
        { name: 'c-write', command: c('write'), ends: ALL_ENDS },
        { name: 'c-line-buffered', command: c('line'), ends: ALL_ENDS },
        { name: 'c-stdbuf', command: c('plain', '/usr/bin/stdbuf', '-oL'), ends: ALL_ENDS },
        { name: 'c-plain', command: c('plain'), ends: ALL_ENDS, mayLose: true },
      ]
    : []),
];
if (!hasCompiler) console.log('there is no C compiler: C, and a fault in Node, are left out');

const rows: string[][] = [];
const wrong: string[] = [];
let printed = 0;
for (const way of WAYS.filter(({ name }) => !values.only || name.startsWith(values.only)))
  for (const [end, counts] of await run(way)) {
    printed += lines * counts.length;
    const sum = (key: keyof Count): number => counts.reduce((all, count) => all + count[key], 0);
    const [lost, doubled, torn] = [sum('lost'), sum('doubled'), sum('torn')];
    rows.push([way.name, end, ...[counts.length, lost, doubled, torn].map(String)]);
    if (doubled + torn > 0 || (lost > 0 && !way.mayLose)) wrong.push(`${way.name}, ${end}`);
  }

const columns = ['PRINTED BY', 'END'].map((title) => ({ title }));
const figures = ['PROCESSES', 'LOST', 'DOUBLED', 'TORN'].map((title) => ({ title, align: 'right' }) as const);
console.log(formatTable([...columns, ...figures], rows));
console.log(`${printed} lines were printed, ${lines} by each process`);
console.log(
  wrong.length === 0 ? 'every line whose print call returned is there' : `NOT: ${wrong.join('; ')}`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** Every end, with one instance and with four, all at the same time. */
async function run({ name, command, ends, env, mayLose = false }: Way): Promise<Map<string, Count[]>> {
  await using rig = await Rig.create();
  if (hasCompiler) compile(rig.folder);
  const [program, ...args] = command(rig.folder);
  const how = args.pop()!;
  const variables = { ...env, FAULTS: join(rig.folder, 'faults.node') };
  const services = ends.flatMap((end) =>
    INSTANCES.map((instances) => ({ end, instances, service: `${name}-${end}-${instances}` })),
  );
  const configs = services.map(({ end, instances, service }): [string, ServiceConfig] => [
    service,
    {
      command: [program!, ...args, String(lines), end, how],
      instances,
      restart: 'never',
      ports: [],
      logs: { maxTotal: '2GB', compress: false }, // as it was written: read at once
      env: variables,
    },
  ]);
  await rig.up(Object.fromEntries(configs)); // it fails where they end at once, as they are to
  const counts = new Map<string, Count[]>(ends.map((end) => [end, []]));
  for (const { end, instances, service } of services) {
    const isOver = async (): Promise<boolean> => {
      const view = await rig.client.call('service', { params: { name: service } });
      return view.instances.every(({ status }) => status === 'completed');
    };
    await rig.until(`${service} has ended`, isOver, DEADLINE_MS);
    const { logs } = await rig.client.call('service', { params: { name: service } });
    counts.get(end)!.push(...(await countLines(filesOf(logs.out), instances, lines, mayLose)));
  }
  return counts;
}

/** The oldest first. */
function filesOf(path: string): string[] {
  const [folder, base] = [join(path, '..'), 'out.log'];
  const number = (file: string): number => Number(/^out\.log\.(\d+)/.exec(file)?.[1] ?? 0);
  return readdirSync(folder)
    .filter((file) => file.startsWith(base))
    .sort((one, other) => number(other) - number(one))
    .map((file) => join(folder, file))
    .filter((file) => existsSync(file));
}

function compile(folder: string): void {
  execFileSync('cc', ['-O1', '-o', join(folder, 'last-words'), app('last-words.c')]);
  execFileSync('cc', ['-O1', '-shared', '-fPIC', '-o', join(folder, 'faults.node'), app('faults.c')]);
}

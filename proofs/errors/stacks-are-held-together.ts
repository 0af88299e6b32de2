/**
 * Node, Python and Java throw 2,000 errors each, two instances into one file: every stack is one record of the right type.
 *
 * Sync, async, chains of causes, AggregateError, messages of several lines, tracebacks by hand and by logging, suppressed
 * exceptions; a line of its own stands between two of them. Where there is no Java, a program prints what it printed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { ServiceConfig } from '../../src/config/index.js';
import { LogFiles, LogSegment, readError, RecordAssembler } from '../../src/logs/index.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const INSTANCES = 2;
/** Of each instance: a multiple of the number of kinds. */
const count = Math.max(12, 12 * Math.ceil((1000 * Number(values.scale)) / 12));
const DEADLINE_MS = 120_000;

const app = (name: string): string =>
  fileURLToPath(new URL(`stacks-are-held-together/${name}`, import.meta.url));
const hasJava = spawnSync('java', ['-version']).status === 0;

interface Program {
  readonly service: ServiceConfig;
  /** In turn. */
  readonly types: readonly string[];
}
const PROGRAMS: Readonly<Record<string, Program>> = {
  node: {
    service: { script: app('throws.cjs') },
    types: ['TypeError', 'QueryError', 'OrderError', 'AggregateError'],
  },
  python: {
    service: { script: app('throws.py'), interpreter: '/usr/bin/python3' },
    types: ['KeyError', 'OrderError', 'ValueError', 'RuntimeError'],
  },
  java: {
    service: hasJava ? { command: ['java', app('Throws.java')] } : { script: app('prints-java.cjs') },
    types: [
      'java.lang.IllegalStateException',
      'Throws$OrderException',
      'java.lang.UnsupportedOperationException',
    ],
  },
};

await using rig = await Rig.create();
const services = Object.entries(PROGRAMS).map(([name, { service }]) => [
  name,
  { ...service, instances: INSTANCES, ports: [], env: { COUNT: String(count) } },
]);
assertSucceeded(await rig.up(Object.fromEntries(services)));
for (const [name, { types }] of Object.entries(PROGRAMS)) {
  await rig.until(
    `${name} has thrown everything`,
    async () => (await linesOf(name, 'out')).flat().length === INSTANCES,
    DEADLINE_MS,
  );
  const found = (await linesOf(name, 'err')).map(recordsOf);
  const errors = found.map((records) => records.flatMap((record) => readError(record, 'err') ?? []));
  const others = found.flat().filter((record) => !readError(record, 'err'));
  console.log(
    `${name.padEnd(7)} ${errors.flat().length} errors of ${INSTANCES} instances: ${tally(errors.flat().map(({ type }) => type))}`,
  );
  for (const each of errors)
    assert.deepEqual(
      each.map(({ type }) => type),
      Array.from({ length: count }, (_, id) => types[id % types.length]!),
    );
  assert.deepEqual(
    others.filter((record) => !/^request \d+$/.test(record.join('\n'))),
    [],
    'nothing is left over',
  );
  assert.equal(others.length, INSTANCES * count);
}
console.log(
  `${INSTANCES * count} errors of each, ${hasJava ? 'with Java' : 'Java as recorded'}: every stack is one record`,
);

/** Of each instance, in order. */
async function linesOf(name: string, stream: 'out' | 'err'): Promise<string[][]> {
  const { logs } = await rig.client.call('service', { params: { name } });
  const files = new LogFiles(dirname(logs[stream]), stream);
  const lines: string[][] = Array.from({ length: INSTANCES }, () => []);
  for (const number of files.numbers().reverse()) {
    const segment = LogSegment.open(files, number)!;
    for (let pieces = segment.read(); pieces.length > 0; pieces = segment.read())
      for (const { run, lines: text } of pieces)
        lines[run!.instance]!.push(...text.toString('utf8').replace(/\n$/, '').split('\n'));
    segment.close();
  }
  return lines;
}

function recordsOf(lines: readonly string[]): (readonly string[])[] {
  const assembler = new RecordAssembler();
  const records = lines.flatMap((line) => {
    const ended = assembler.push(line);
    return ended ? [ended] : [];
  });
  const last = assembler.flush();
  return last ? [...records, last] : records;
}

function tally(names: readonly (string | null)[]): string {
  const counts = new Map<string | null, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, times]) => `${times} ${name}`).join(', ');
}

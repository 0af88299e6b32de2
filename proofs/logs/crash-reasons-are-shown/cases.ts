/** Ways to end, and the reason that has to be shown; null: none. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceConfig } from '../../../src/config/index.js';
import type { NodeVersion } from '../../port/node-versions/versions.js';

export interface Case {
  readonly name: string;
  readonly service: ServiceConfig;
  /** As `upkeep list` has it. */
  readonly expected: string | null;
}

const APPS = fileURLToPath(new URL('apps/', import.meta.url));

/** Where the programs are run: with a dependency, and a file that no formatter would let through. */
export function stageApps(folder: string): void {
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['ends.cjs', 'ends.py', 'printed.txt']) copyFileSync(APPS + name, join(folder, name));
  copyFileSync(`${APPS}broken.txt`, join(folder, 'broken.cjs'));
  copyFileSync(`${APPS}library.cjs`, join(folder, 'node_modules/library.cjs'));
}

/** Of Node, since which the process is asked before anybody can catch it. */
const HAS_MONITOR = 12;
const REJECTIONS_CRASH = 15;

export function nodeCases({ name: version, major, program }: NodeVersion, folder: string): Case[] {
  const seen = (words: string): string | null => (major >= HAS_MONITOR ? words : null);
  const rejected = (words: string): string | null => (major >= REJECTIONS_CRASH ? words : null);
  const models =
    major >= 16 ? `properties of undefined (reading 'models')` : `property 'models' of undefined`;
  const reasons: Readonly<Record<string, string | null>> = {
    throw: `TypeError: Cannot read ${models} (${at('throw')})`,
    'throw-later': `RangeError: out of | range (${at('throw-later')})`,
    'throw-own': `QueryFailed: größer als 10 € (${at('throw-own')})`,
    'throw-long': `Error: ${'x'.repeat(10)}`,
    'throw-lines': `Error: the first line (${at('throw-lines')})`,
    'throw-text': `just text (${at('throw-text')})`,
    'throw-in-library': `Error: of a library (${at('throw-in-library')})`,
    reject: rejected(`RangeError: nobody caught me (${at('reject')})`),
    'reject-text': rejected('UnhandledPromiseRejection: no error at all'),
    emit: `TypeError: not listened to (${at('emit')})`,
    'in-use': 'Error: listen EADDRINUSE',
    syntax: `SyntaxError: `,
    missing: `Error: Cannot find module './there-is-no-such-file' (${at('missing')})`,
    'caught-and-exit': seen(`TypeError: caught, and the end (${at('caught-and-exit')})`),
    'print-and-exit': `TypeError: told before the end (${at('print-and-exit')})`,
    'second-one': seen(`TypeError: the second (${at('second-one')})`),
    ...(major >= 12 && { 'thread-throws': 'RangeError: in a thread' }),
  };
  const traps = trapNames().map((name): [string, null] => [name, null]);
  return [...Object.entries(reasons), ...traps].map(([end, expected]) => ({
    name: `node-${version.replaceAll('.', '_')}-${end}`,
    service: { command: [program, join(folder, 'ends.cjs')], env: { END: end }, ...ONCE },
    expected,
  }));
}

const ONCE = { restart: 'never', ports: [] } as const satisfies ServiceConfig;

/** In the order of the source: what follows the remark. */
function trapNames(): string[] {
  const [, traps = ''] = readFileSync(`${APPS}ends.cjs`, 'utf8').split('// Traps:');
  return [...traps.matchAll(/^ {2}'?([\w-]+)'?\(\) \{$/gm)].map(([, name]) => name!);
}

function at(end: string, file = 'ends.cjs', comment = '//'): string {
  const line = readFileSync(APPS + file, 'utf8')
    .split('\n')
    .findIndex((text) => text.endsWith(`${comment} at ${end}`));
  return `${file}:${line + 1}`;
}

export function otherCases(folder: string): Case[] {
  const python = (end: string, expected: string | null): Case => ({
    name: `python-${end}`,
    service: { command: ['/usr/bin/python3', join(folder, 'ends.py')], env: { END: end }, ...ONCE },
    expected,
  });
  const wrapped = `'${process.execPath}' '${join(folder, 'ends.cjs')}'; exit $?`;
  return [
    python('raise', `ValueError: no | good (${at('raise', 'ends.py', '#')})`),
    python('chained', `RuntimeError: because of it (${at('chained', 'ends.py', '#')})`),
    python('missing', `ModuleNotFoundError: No module named 'there_is_no_such_module'`),
    ...['exit-0', 'kill', 'silent'].map((end) => python(end, null)),
    ...printed('java', 1, 'java.lang.IllegalStateException: pool is closed (Pool.java:41)'),
    ...printed('go', 2, 'panic: runtime error: index out of range [3] with length 3 (pick.go:9)'),
    ...printed('rust', 101, 'panic: called `Option::unwrap()` on a `None` value (main.rs:7)'),
    {
      name: 'shell-around-node',
      service: { command: ['/bin/sh', '-c', wrapped], env: { END: 'throw-later' }, ...ONCE },
      expected: `RangeError: out of | range (${at('throw-later')})`,
    },
  ];
}

/** A program that prints what another one would, and ends like it; and three that do not. */
function printed(kind: string, code: number, expected: string): Case[] {
  const print = `sed -n '/^== ${kind}$/,/^== /{/^== /!p}' '${APPS}printed.txt' >&2`;
  const ends: [string, string, string | null][] = [
    ['crash', `exit ${code}`, expected],
    ['exit-0', 'exit 0', null],
    ['kill', 'kill -9 $$', null],
    ['goes-on', `sleep 0.3; echo 'serving again' >&2; exit ${code}`, null],
  ];
  return ends.map(([name, end, reason]) => ({
    name: `${kind}-${name}`,
    service: { command: ['/bin/sh', '-c', `${print}; ${end}`], ...ONCE },
    expected: reason,
  }));
}

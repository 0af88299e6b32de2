/** What a storm must show, and the table of all peers. */
import { formatTable, type Column } from '../../../src/cli/output/table.js';
import type { Outcome, Storm } from './storm.js';

type Outcomes = ReadonlyMap<string, readonly Outcome[]>;

const MAX_WALL = 1.15;
const MAX_DAEMON_MS = 500;
const MAX_MEMORY_MB = 25;
const MAX_LIST_MS = 500;
const MAX_SLOWER = 2;
/** Where the machine itself makes everybody slower than that. */
const MAX_BESIDE_NODE = 1.5;

const COLUMNS: readonly Column[] = [
  { title: '' },
  ...[
    'WALL',
    '× CAT',
    'LOST',
    'DOUBLED',
    'TORN',
    'LIST IDLE',
    'P50',
    'MAX',
    'NODE IDLE',
    'P50',
    'MEMORY',
  ].map((title) => ({ title, align: 'right' }) as const),
  { title: 'PROCESSOR MS PER MILLION LINES' },
];

export function report(outcomes: Outcomes): string {
  const rows = [...outcomes].map(([name, all]) => {
    const { wall, idle, asked, nodeIdle, node } = summary(all);
    const list = name === 'cat' ? ['', '', ''] : [ms(idle), ms(median(asked)), ms(Math.max(...asked))];
    return [
      name,
      ms(wall),
      (wall / summary(outcomes.get('cat') ?? all).wall).toFixed(2),
      ...(['missing', 'doubled', 'torn'] as const).map((key) => String(sum(all, key))),
      ...list,
      ms(nodeIdle),
      ms(median(node)),
      name === 'cat' ? '' : `+${Math.max(...all.map(({ memoryMb }) => memoryMb)).toFixed(1)} MB`,
      wordProcessor(all),
    ];
  });
  return formatTable(COLUMNS, rows);
}

function wordProcessor(all: readonly Outcome[]): string {
  const of = (key: 'processorMs' | 'laterMs'): string =>
    [...(all[0]?.[key].keys() ?? [])]
      .map((kind) => `${kind} ${median(all.map((one) => one[key].get(kind) ?? 0)).toFixed(0)}`)
      .join(', ');
  return of('processorMs') === '' ? '' : `${of('processorMs')}; later ${of('laterMs')}`;
}

export function verdict(outcomes: Outcomes, { writers, isTimed }: Storm & { isTimed: boolean }): string[] {
  const failures: string[] = [];
  const all = outcomes.get('upkeep') ?? [];
  for (const key of ['missing', 'doubled', 'torn'] as const)
    if (sum(all, key) > 0) failures.push(`${sum(all, key)} lines are ${key}`);
  if (!isTimed || all.length === 0) return failures;
  const { wall, idle, asked, nodeIdle, node } = summary(all);
  const ratio = wall / summary(outcomes.get('cat') ?? all).wall;
  if (ratio > MAX_WALL) failures.push(`the writers took ${ratio.toFixed(2)} times as long as with cat`);
  const daemon = median(all.map(({ processorMs }) => processorMs.get('daemon') ?? Infinity));
  if (daemon > MAX_DAEMON_MS) failures.push(`the daemon used ${daemon.toFixed(0)} ms for a million lines`);
  const memory = Math.max(...all.map(({ memoryMb }) => memoryMb));
  if (memory > MAX_MEMORY_MB) failures.push(`the daemon grew by ${memory.toFixed(1)} MB`);
  if (writers > 1) {
    const slower = median(asked) / idle;
    const slowerNode = median(node) / nodeIdle;
    const isLiteral = slowerNode <= MAX_SLOWER;
    const aim = isLiteral ? MAX_SLOWER : MAX_BESIDE_NODE * slowerNode;
    console.log(
      `list is ${slower.toFixed(2)} times as slow as idle, bare Node ${slowerNode.toFixed(2)} times: judged by ${isLiteral ? 'twice' : 'what the machine does to bare Node'}`,
    );
    if (slower > aim) failures.push(`list was ${slower.toFixed(2)} times as slow as idle`);
    if (isLiteral && Math.max(...asked) > MAX_LIST_MS)
      failures.push(`one list took ${ms(Math.max(...asked))}`);
  }
  return failures;
}

function summary(all: readonly Outcome[]) {
  return {
    wall: median(all.map(({ wallMs }) => wallMs)),
    idle: median(all.flatMap(({ idle }) => idle.list)),
    nodeIdle: median(all.flatMap(({ idle }) => idle.node)),
    asked: all.flatMap(({ asked }) => asked.list),
    node: all.flatMap(({ asked }) => asked.node),
  };
}

function sum(all: readonly Outcome[], key: 'missing' | 'doubled' | 'torn'): number {
  return all.reduce((total, one) => total + one[key], 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

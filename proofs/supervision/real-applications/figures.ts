/** What was counted and measured for one application, and the table of all. */
import { formatTable, type Column } from '../../../src/cli/output/table.js';

export interface Figures {
  readonly service: string;
  processes: number;
  restarts: number;
  kills: number;
  /** How long each took until it answered and was whole again, milliseconds. */
  readonly answers: number[];
  /** How long `upkeep stop` took, milliseconds. */
  readonly stops: number[];
  leftovers: number;
  readonly failures: string[];
}

export function createFigures(service: string): Figures {
  return { service, processes: 0, restarts: 0, kills: 0, answers: [], stops: [], leftovers: 0, failures: [] };
}

const COLUMNS: readonly Column[] = [
  { title: 'APPLICATION' },
  ...[
    'PROCESSES',
    'RESTARTS',
    'KILLS',
    'STOPS',
    'WHOLE AFTER (MEDIAN)',
    'WORST',
    'STOPPED AFTER (MEDIAN)',
    'WORST',
    'LEFTOVERS',
  ].map((title) => ({ title, align: 'right' }) as const),
];

export function formatFigures(all: readonly Figures[]): string {
  const rows = all.map(({ service, processes, restarts, kills, answers, stops, leftovers }) => [
    service,
    ...[processes, restarts, kills, stops.length].map(String),
    ...[median(answers), Math.max(...answers), median(stops), Math.max(...stops)].map(seconds),
    String(leftovers),
  ]);
  return formatTable(COLUMNS, rows);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : '-';
}

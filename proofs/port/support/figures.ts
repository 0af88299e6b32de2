/** The table of what a load has seen. */
import { formatTable, type Column } from '../../../src/cli/output/table.js';
import type { LoadReport } from '../load/index.js';

const COLUMNS: readonly Column[] = [
  { title: 'CLIENT' },
  ...['REQUESTS', 'ANSWERED', 'FAILED', 'CONNECTIONS', 'CUT', 'PROCESSES', 'MEDIAN', '99 %', 'SLOWEST'].map(
    (title) => ({ title, align: 'right' }) as const,
  ),
  { title: 'ASKED AGAIN', align: 'right', isOptional: true },
  { title: 'FAILURES', isOptional: true },
];

export function formatReport({ clients }: LoadReport): string {
  const rows = Object.entries(clients).map(([name, client]) => [
    name,
    ...[client.started, client.succeeded, client.failed, client.connections, client.cut].map(String),
    String(Object.keys(client.pids).length),
    ...[client.medianMs, client.slowMs, client.slowestMs].map((ms) => (ms < 0 ? '-' : `${ms} ms`)),
    client.askedAgain === 0 ? '' : String(client.askedAgain),
    Object.entries(client.failures)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
  ]);
  return formatTable(COLUMNS, rows);
}

/** 0.5: the median; 1: the longest. */
export function quantileMs(values: readonly number[], quantile: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)];
  return value === undefined ? '-' : `${Math.round(value)} ms`;
}

/** Words services: the table of `upkeep list`. */
import type { InstanceView, ServiceStatus, ServiceView } from '../../protocol/index.js';
import { formatBytes, formatDuration } from '../../util/index.js';
import { outColors, type Paint } from './color.js';
import { wordEnd } from './exit.js';
import { formatTable, terminalWidth, type Cell, type Column, type Row } from './table.js';

/** Up to this many rows, each instance has a row of its own. */
const MAX_ROWS_WITH_INSTANCES = 50;

const COLUMNS: readonly Column[] = [
  { title: 'NAME', minWidth: 12 },
  { title: 'STATUS' },
  { title: 'INSTANCES', align: 'right' },
  { title: 'PID', align: 'right' },
  { title: 'RESTARTS', align: 'right' },
  { title: 'UPTIME', align: 'right' },
  { title: 'CPU', align: 'right' },
  { title: 'MEMORY', align: 'right' },
  { title: 'NEW ERRORS', align: 'right', isOptional: true },
  { title: 'LAST EXIT', minWidth: 10, isOptional: true },
];

export function formatServices(services: readonly ServiceView[], now: number): string {
  const rowCount = services.reduce((sum, { instances }) => sum + 1 + instances.length, 0);
  const rows = services.flatMap((service) => {
    const isExpanded = service.instances.length > 1 && rowCount <= MAX_ROWS_WITH_INSTANCES;
    return [
      serviceRow(service, now),
      ...(isExpanded ? service.instances.map((one) => instanceRow(one, now)) : []),
    ];
  });
  const table = formatTable(COLUMNS, rows, { width: terminalWidth(), paintTitle: outColors.dim });
  return [table, ...services.flatMap((service) => wordFailure(service, now))].join('\n');
}

/** What runs goes on, but somebody wanted something else. */
function wordFailure({ failure }: ServiceView, now: number): string[] {
  if (!failure) return [];
  const ago = formatDuration(Math.max(0, now - Date.parse(failure.at)));
  const line = `operation ${failure.operation}, ${ago} ago: ${failure.message}`;
  return [`${outColors.red('failed')} ${line}`];
}

function serviceRow({ name, status, restarts, instances, newErrors = 0 }: ServiceView, now: number): Row {
  const [only] = instances.length === 1 ? instances : [];
  const troubled = instances.find((instance) => lastExit(instance, now) !== '');
  return [
    { text: name, paint: outColors.bold },
    statusCell(status, instances.some(isUnhealthy)),
    readiness(instances),
    only?.pid ? String(only.pid) : '',
    String(restarts),
    uptime(Math.max(...instances.map(({ uptimeMs }) => uptimeMs ?? -1))),
    percent(sum(instances.map(({ cpuPercent }) => cpuPercent))),
    bytes(sum(instances.map(({ rssBytes }) => rssBytes))),
    newErrors === 0 ? '' : { text: String(newErrors), paint: outColors.red },
    troubled ? lastExit(troubled, now) : '',
  ];
}

function instanceRow(instance: InstanceView, now: number): Row {
  return [
    instance.role === 'serving' ? `  ${instance.index}` : `  ${instance.index} (${instance.role})`,
    statusCell(instance.status, isUnhealthy(instance)),
    '',
    instance.pid === null ? '' : String(instance.pid),
    '',
    uptime(instance.uptimeMs ?? -1),
    percent(instance.cpuPercent),
    bytes(instance.rssBytes),
    '',
    lastExit(instance, now),
  ];
}

/** `2/4` where there are several, of which two are ready. */
function readiness(instances: readonly InstanceView[]): string {
  const serving = instances.filter(({ role }) => role === 'serving');
  if (serving.length <= 1) return String(serving.length);
  return `${serving.filter(({ status }) => status === 'running').length}/${serving.length}`;
}

const PAINTS: Readonly<Record<ServiceStatus, Paint>> = {
  running: outColors.green,
  starting: outColors.cyan,
  stopping: outColors.cyan,
  scheduled: outColors.cyan,
  waiting: outColors.yellow,
  degraded: outColors.yellow,
  crashed: outColors.red,
  stopped: outColors.dim,
  completed: outColors.dim,
};

function statusCell(status: ServiceStatus, hasUnhealthy: boolean): Cell {
  return { text: wordStatus(status, hasUnhealthy), paint: hasUnhealthy ? outColors.red : PAINTS[status] };
}

export function wordStatus(status: ServiceStatus, hasUnhealthy: boolean): string {
  return hasUnhealthy ? `${status} (unhealthy)` : status;
}

export function isUnhealthy({ healthy }: InstanceView): boolean {
  return healthy === false;
}

/** Why it does not run, and when it will again. */
function lastExit({ status, exit, nextStartAt }: InstanceView, now: number): string {
  if (status === 'running' || status === 'starting') return '';
  const next = nextStartAt && `next start in ${formatDuration(Math.max(0, Date.parse(nextStartAt) - now))}`;
  return [exit && wordEnd(exit), next].filter(Boolean).join(', ');
}

function uptime(ms: number): string {
  return ms < 0 ? '' : formatDuration(ms);
}

function percent(value: number | null): string {
  return value === null ? '' : `${value.toFixed(1)}%`;
}

function bytes(value: number | null): string {
  return value === null ? '' : formatBytes(value);
}

/** null where nothing was measured. */
function sum(values: readonly (number | null)[]): number | null {
  const measured = values.filter((value) => value !== null);
  return measured.length === 0 ? null : measured.reduce((total, value) => total + value, 0);
}

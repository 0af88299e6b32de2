/** Lays out what services have answered: a row each, and the times at which that took longest. */
import type { ReportView, ServiceReport, TrafficView } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { outColors } from './color.js';
import { formatTable, terminalWidth, type Cell } from './table.js';
import { formatTime } from './time.js';

type Quantile = TrafficView['p95'];
type Traffic = TrafficView & { readonly service: string };

const NOTHING = '-';
const MAX_SLOWEST = 8;
const ACCURACY =
  'latencies are counted in steps: the true ones are between two thirds and one and a half times of these';

/** Nothing where nobody has counted. */
export function formatTraffic(services: ReportView['services']): string[] {
  const counted = services.flatMap(withTraffic);
  if (counted.length === 0) return [];
  const areSeveral = services.length > 1;
  return [
    ...['', formatTotals(counted), '', formatSlowest(counted, areSeveral)],
    ...formatRequests(counted, areSeveral),
    ...['', outColors.dim(ACCURACY)],
  ];
}

function withTraffic({ service, traffic }: ServiceReport): Traffic[] {
  return traffic ? [{ service, ...traffic }] : [];
}

function formatTotals(counted: readonly Traffic[]): string {
  return formatTable(
    [
      { title: 'SERVICE' },
      { title: 'REQUESTS', align: 'right' },
      { title: 'ERRORS', align: 'right' },
      { title: 'P50', align: 'right' },
      { title: 'P95', align: 'right' },
      { title: 'P99', align: 'right' },
    ],
    counted.map(({ service, requests, errors, errorShare, p50, p95, p99 }) => [
      service,
      String(requests),
      formatErrors(errors, errorShare),
      ...[p50, p95, p99].map(formatQuantile),
    ]),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
}

function formatSlowest(counted: readonly Traffic[], areOfSeveral: boolean): string {
  const slots = counted.flatMap(({ service, slotSeconds, slowest }) =>
    slowest.map((slot) => ({ service, slotSeconds, ...slot })),
  );
  slots.sort((a, b) => b.p95.ms - a.p95.ms);
  return formatTable(
    [
      { title: 'SLOWEST FROM' },
      { title: 'TO' },
      { title: 'SERVICE', isOptional: true },
      { title: 'REQUESTS', align: 'right' },
      { title: 'ERRORS', align: 'right' },
      { title: 'P95', align: 'right' },
    ],
    slots
      .slice(0, MAX_SLOWEST)
      .map(({ at, service, slotSeconds, requests, errors, p95 }) => [
        formatTime(at),
        formatTime(new Date(Date.parse(at) + slotSeconds * 1000).toISOString()),
        areOfSeveral ? service : '',
        String(requests),
        formatErrors(errors, errors / requests),
        formatQuantile(p95),
      ]),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
}

/** Nothing where none is known. */
function formatRequests(counted: readonly Traffic[], areOfSeveral: boolean): string[] {
  const requests = counted.flatMap(({ service, slowestRequests }) =>
    slowestRequests.map((request) => ({ service, ...request })),
  );
  if (requests.length === 0) return [];
  requests.sort((a, b) => b.ms - a.ms);
  const table = formatTable(
    [
      { title: 'SLOWEST REQUEST' },
      { title: 'SERVICE', isOptional: true },
      { title: 'TOOK', align: 'right' },
      { title: 'STATUS', align: 'right' },
      { title: 'ASKED FOR', minWidth: 20 },
    ],
    requests
      .slice(0, MAX_SLOWEST)
      .map(({ at, service, ms, status, method, path }) => [
        formatTime(at),
        areOfSeveral ? service : '',
        formatDuration(ms),
        { text: String(status), paint: status >= 500 ? outColors.red : undefined },
        `${method} ${path}`,
      ]),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
  return ['', table];
}

function formatErrors(errors: number, share: number): Cell {
  if (errors === 0) return { text: NOTHING };
  return { text: `${errors} (${formatShare(share)})`, paint: outColors.red };
}

/** Never 0 % of what there is, nor 100 % of what is not all. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 100) return '100 %';
  if (percent < 0.01) return 'under 0.01 %';
  return `${Math.min(99.99, Number(percent.toPrecision(2)))} %`;
}

function formatQuantile(quantile: Quantile): string {
  if (!quantile) return NOTHING;
  const { ms, fromMs, toMs } = quantile;
  return toMs === null ? `over ${formatMs(fromMs)}` : formatMs(ms);
}

/** Two digits: more would be made up. */
export function formatMs(ms: number): string {
  return ms >= 1000 ? `${Number((ms / 1000).toPrecision(2))}s` : `${Number(ms.toPrecision(2))}ms`;
}

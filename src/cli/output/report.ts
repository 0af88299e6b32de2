/** Lays out how services have been: a row each, and below what went wrong. */
import type { IncidentView, ReportView, ServiceReport, Spread } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { outColors, type Paint } from './color.js';
import { formatProbes } from './probes.js';
import { formatTable, terminalWidth, type Row } from './table.js';
import { formatTime } from './time.js';
import { formatTraffic } from './traffic.js';

const NOTHING = '-';
const GOOD = 0.999;

export function formatReport({ since, until, services }: ReportView): string {
  if (services.length === 0) return 'There are no services';
  const incidents = services.flatMap((service) => service.incidents);
  incidents.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  const parts = [
    `${formatTime(since)} to ${formatTime(until)}`,
    '',
    formatSummary(services),
    ...(incidents.length > 0 ? ['', formatIncidents(incidents, services.length > 1)] : []),
    ...formatProbes(services),
    ...formatTraffic(services),
    ...reservations(services, since),
  ];
  return parts.join('\n');
}

function formatSummary(services: readonly ServiceReport[]): string {
  return formatTable(
    [
      { title: 'SERVICE' },
      { title: 'AVAILABILITY', align: 'right' },
      { title: 'DOWN', align: 'right' },
      { title: 'DEGRADED', align: 'right', isOptional: true },
      { title: 'INCIDENTS', align: 'right' },
      { title: 'NOTICED', align: 'right' },
      { title: 'REPAIRED', align: 'right' },
      { title: 'RESTARTS', align: 'right' },
      { title: 'MANUAL', align: 'right' },
      { title: 'UNOBSERVED', align: 'right', isOptional: true },
    ],
    services.map(rowOf),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
}

function rowOf(report: ServiceReport): Row {
  const { service, availability, downMs, degradedMs, unobservedMs, unplanned, detectMs, repairMs } = report;
  return [
    service,
    { text: formatAvailability(availability), paint: paintOf(availability) },
    downMs > 0 ? formatDuration(downMs) : NOTHING,
    degradedMs > 0 ? formatDuration(degradedMs) : '',
    String(unplanned),
    formatSpread(detectMs),
    formatSpread(repairMs),
    String(report.restarts),
    String(report.interventions),
    unobservedMs > 0 ? formatDuration(unobservedMs) : '',
  ];
}

/** Four digits, cut off: 100 % is said only of what was never down. */
export function formatAvailability(share: number | null): string {
  return share === null ? NOTHING : `${(Math.floor(share * 1e6) / 1e4).toFixed(4)} %`;
}

function paintOf(share: number | null): Paint | undefined {
  if (share === null) return undefined;
  return share === 1 ? outColors.green : share >= GOOD ? outColors.yellow : outColors.red;
}

function formatSpread({ median, p95 }: Spread): string {
  if (median === null || p95 === null) return NOTHING;
  return median === p95 ? formatDuration(median) : `${formatDuration(median)}, p95 ${formatDuration(p95)}`;
}

function formatIncidents(incidents: readonly IncidentView[], areOfSeveral: boolean): string {
  return formatTable(
    [
      { title: 'BEGAN' },
      { title: 'INCIDENT OF', isOptional: true },
      { title: 'WAS' },
      { title: 'FOR', align: 'right' },
      { title: 'NOTICED', align: 'right' },
      { title: 'CAUSE', minWidth: 20 },
    ],
    incidents.map((incident) => [
      formatTime(incident.startedAt),
      areOfSeveral ? incident.service : '',
      { text: incident.worst, paint: incident.worst === 'down' ? outColors.red : outColors.yellow },
      formatLength(incident),
      formatNoticed(incident),
      wordCause(incident),
    ]),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
}

function formatLength({ startedAt, endedAt }: IncidentView): string {
  return endedAt === null ? 'until now' : formatDuration(Date.parse(endedAt) - Date.parse(startedAt));
}

function formatNoticed({ startedAt, detectedAt }: IncidentView): string {
  return detectedAt === null
    ? NOTHING
    : `after ${formatDuration(Date.parse(detectedAt) - Date.parse(startedAt))}`;
}

function wordCause({ instance, attempt, words, times, isPlanned }: IncidentView): string {
  const whose = instance === null ? '' : ` (instance ${instance}, attempt ${attempt})`;
  return `${isPlanned ? 'on purpose: ' : ''}${words}${times > 1 ? `, ${times} times` : ''}${whose}`;
}

/** What the figures do not know. */
function reservations(services: readonly ServiceReport[], since: string): string[] {
  const begun = services.flatMap((report) => report.since ?? []).sort()[0];
  const notes: string[] = [];
  if (begun === undefined) notes.push('nothing is known of this time');
  else if (services.some((report) => report.since !== null && report.since > since))
    notes.push(`history begins at ${formatTime(begun)}: before that nothing is known`);
  if (services.some(({ unobservedMs }) => unobservedMs > 0))
    notes.push(
      'unobserved: no daemon lived, and nothing tells how it was; it counts neither as up nor as down',
    );
  return notes.length > 0 ? ['', ...notes.map((words) => outColors.dim(words))] : [];
}

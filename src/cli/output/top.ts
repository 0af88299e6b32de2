/** Lays out what services do at this moment, for a screen of any size. Pure. */
import type { SamplesView, SampleView, ServiceView } from '../../protocol/index.js';
import { formatBytes } from '../../util/index.js';
import { outColors, type Paint } from './color.js';
import { formatTable, truncate, type Row } from './table.js';

export interface TopScene {
  readonly services: readonly ServiceView[];
  readonly samples: readonly SamplesView[];
  /** Index into the services; undefined: nobody can choose. */
  readonly selected?: number;
  /** What was done last, or went wrong. */
  readonly message?: string;
  readonly width: number;
  /** In lines; Infinity: as many as it takes. */
  readonly height: number;
  readonly now: Date;
}

const BARS = '▁▂▃▄▅▆▇█';
const SPARKS = 12;
export const TOP_KEYS = '↑↓ choose   r restart   l logs   w why   q quit';
/** Title of the screen, title of the table, message, keys. */
const OTHER_LINES = 4;

export function formatTop(scene: TopScene): string[] {
  const { services, samples, selected, message = '', width, height, now } = scene;
  const latest = new Map(samples.map(({ service, samples: its }) => [service, its]));
  const [title = '', ...rows] = formatTable(
    [
      { title: 'NAME', minWidth: 8 },
      { title: 'STATUS', minWidth: 7 },
      { title: 'CPU', align: 'right' },
      { title: 'MEMORY', align: 'right' },
      { title: 'REQ/S', align: 'right' },
      { title: 'ERR', align: 'right' },
      { title: 'P95', align: 'right' },
      { title: 'LOOP', align: 'right' },
      { title: 'RST', align: 'right' },
      { title: 'CPU 2 MIN', minWidth: 5 },
    ],
    services.map((service) => rowOf(service, latest.get(service.name) ?? [])),
    { width, paintTitle: outColors.dim },
  ).split('\n');
  const shown = windowOf(rows.length, selected ?? 0, Math.max(1, height - OTHER_LINES));
  const lines = rows.map((row, index) => (index === selected ? mark(row) : row)).slice(shown.from, shown.to);
  const more = rows.length - lines.length;
  const head = `upkeep top   ${summary(services)}   ${now.toTimeString().slice(0, 8)}${more > 0 ? `   ${more} more` : ''}`;
  const foot =
    selected === undefined ? [] : [truncate(message, width), outColors.dim(truncate(TOP_KEYS, width))];
  const gap =
    selected === undefined || height === Infinity ? 0 : Math.max(0, height - OTHER_LINES - lines.length);
  return [truncate(head, width), title, ...lines, ...Array.from({ length: gap }, () => ''), ...foot].slice(
    0,
    height,
  );
}

function rowOf({ name, status, restarts, instances }: ServiceView, samples: readonly SampleView[]): Row {
  const last = samples.at(-1);
  const isFresh = instances.some(({ pid }) => pid !== null);
  const sample = isFresh ? last : undefined;
  return [
    name,
    { text: status, paint: paintOf(status) },
    sum(instances, 'cpuPercent', (value) => `${value.toFixed(1)}%`),
    sum(instances, 'rssBytes', formatBytes),
    sample && sample.p95Ms !== null ? perSecond(sample.requests / sample.seconds) : '-',
    sample && sample.errors > 0 ? { text: String(sample.errors), paint: outColors.red } : '-',
    formatMs(sample?.p95Ms ?? null),
    formatMs(sample?.loopMaxMs ?? null),
    String(restarts),
    sparkline(samples.slice(-SPARKS).map(({ cpuPercent }) => cpuPercent)),
  ];
}

/** Of the highest of them, but of 10 % at least: noise is no mountain. */
export function sparkline(values: readonly number[]): string {
  const top = Math.max(10, ...values);
  return values
    .map((value) => BARS[Math.min(BARS.length - 1, Math.floor((value / top) * BARS.length))])
    .join('');
}

/** The part of a list that is seen when the chosen one has to be. */
export function windowOf(length: number, selected: number, height: number): { from: number; to: number } {
  const from = Math.max(0, Math.min(selected - Math.floor(height / 2), length - height));
  return { from, to: Math.min(length, from + height) };
}

function sum(
  instances: ServiceView['instances'],
  key: 'cpuPercent' | 'rssBytes',
  format: (value: number) => string,
): string {
  const known = instances.flatMap((instance) => instance[key] ?? []);
  return known.length === 0 ? '-' : format(known.reduce((all, value) => all + value, 0));
}

function perSecond(value: number): string {
  return value >= 10 ? String(Math.round(value)) : value.toFixed(1);
}

function formatMs(value: number | null): string {
  if (value === null) return '-';
  if (value >= 1000) return `${(value / 1000).toFixed(1)}s`;
  return `${value >= 10 ? Math.round(value) : value.toFixed(1)}ms`;
}

function summary(services: readonly ServiceView[]): string {
  const running = services.filter(({ status }) => status === 'running').length;
  return `${running} of ${services.length} running`;
}

function paintOf(status: ServiceView['status']): Paint | undefined {
  if (status === 'running') return outColors.green;
  if (status === 'crashed' || status === 'waiting') return outColors.red;
  return status === 'degraded' ? outColors.yellow : undefined;
}

function mark(row: string): string {
  return outColors.inverse(row);
}

/** Words kinds of errors: the table of `upkeep errors`, and one in full. */
import type { ErrorKindDetail, ErrorKindView, ErrorsView, MarkView } from '../../protocol/index.js';
import { formatBytes, formatDuration } from '../../util/index.js';
import { outColors } from './color.js';
import { shortId } from './error-id.js';
import { formatTable, terminalWidth, type Column, type Row } from './table.js';
import { formatTime } from './time.js';

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'NEW', isOptional: true },
  { title: 'SERVICE', minWidth: 10 },
  { title: 'COUNT', align: 'right' },
  { title: 'PER MIN', align: 'right' },
  { title: 'FIRST SEEN' },
  { title: 'LAST SEEN' },
  { title: 'MUTED', minWidth: 10, isOptional: true },
  { title: 'AT', minWidth: 8, isOptional: true },
  { title: 'ERROR', minWidth: 20 },
];

export interface ErrorsShown {
  readonly new?: boolean | undefined;
  readonly since?: string | undefined;
  readonly muted?: boolean | undefined;
  /** How many there would be more. */
  readonly omitted: number;
}

export function formatErrors(answer: ErrorsView, shown: ErrorsShown): string {
  const { kinds, services } = answer;
  const table = formatTable(COLUMNS, kinds.map(kindRow), {
    width: terminalWidth(),
    paintTitle: outColors.dim,
  });
  const muted = services.reduce((sum, service) => sum + service.muted, 0);
  return [
    kinds.length > 0 ? table : wordNone(answer, shown),
    ...(shown.omitted > 0 ? [`${shown.omitted} more: upkeep errors -n ${kinds.length + shown.omitted}`] : []),
    ...(muted > 0 && !shown.muted ? [`${muted} muted: upkeep errors --muted`] : []),
    ...services.flatMap(wordGaps),
  ].join('\n');
}

function kindRow(kind: ErrorKindView): Row {
  return [
    shortId(kind.id),
    { text: kind.isNew ? 'new' : '', paint: outColors.red },
    { text: kind.service, paint: outColors.bold },
    String(kind.count),
    String(kind.perMinute),
    formatTime(kind.firstSeenAt),
    formatTime(kind.lastSeenAt),
    kind.mute ? { text: wordMute(kind.mute), paint: outColors.dim } : '',
    kind.at ?? '',
    kind.title,
  ];
}

function wordNone({ services }: ErrorsView, { new: isNew, since }: ErrorsShown): string {
  const [only] = services.length === 1 ? services : [];
  if (since !== undefined && since !== 'mark') return `No ${isNew ? 'new ' : ''}errors since ${since}`;
  if (!isNew && since === undefined) return 'No errors';
  const mark = only?.mark ? `${wordMark(only.mark)}` : 'the last mark of each service';
  return `No ${isNew ? 'new ' : ''}errors since ${mark}`;
}

/** What the figures do not contain. */
function wordGaps({
  service,
  skippedBytes,
  isSkippedExact,
  forgotten,
}: ErrorsView['services'][number]): string[] {
  const size = isSkippedExact ? formatBytes(skippedBytes) : `at least ${formatBytes(skippedBytes)}`;
  return [
    ...(skippedBytes > 0 || !isSkippedExact
      ? [`${service}: ${size} (${skippedBytes} bytes) of its logs were not looked at, they grew too fast`]
      : []),
    ...(forgotten > 0 ? [`${service}: ${forgotten} kinds made room for others, those seen longest ago`] : []),
  ];
}

export function formatErrorDetail(detail: ErrorKindDetail, now: number): string {
  const { service, id, title, at, count, perMinute, firstSeenAt, lastSeenAt, mute } = detail;
  const fields: (readonly [string, string])[] = [
    ['id', id],
    ...(at === null ? [] : [['at', at] as const]),
    ['seen', `${count} times, ${perMinute} a minute lately`],
    [
      'first',
      `${formatTime(firstSeenAt)}, ${formatDuration(Math.max(0, now - Date.parse(firstSeenAt)))} ago`,
    ],
    ['last', `${formatTime(lastSeenAt)}, ${formatDuration(Math.max(0, now - Date.parse(lastSeenAt)))} ago`],
    ...(mute ? [['muted', wordMute(mute)] as const] : []),
    ...detail.marks
      .slice(-3)
      .map((one) => ['since mark', `${one.count} since ${wordMark(one.mark)}`] as const),
    ...(detail.attempts.length > 0 ? [['attempts', wordAttempts(detail.attempts)] as const] : []),
  ];
  return [
    `${outColors.bold(service)}: ${outColors.red(title)}`,
    ...fields.map(([label, value]) => `  ${outColors.dim(label.padEnd(12))}${value}`),
    ...sampleLines(detail),
  ].join('\n');
}

function sampleLines({ sample, service }: ErrorKindDetail): string[] {
  if (!sample) return [];
  const { at, instance, attempt, stream, before, lines, omitted } = sample;
  const who = instance === null ? service : `${service}.${instance} attempt ${attempt}`;
  const bar = (line: string): string => `    ${outColors.dim('|')} ${line}`;
  return [
    '',
    `First seen in std${stream} of ${who}, ${formatTime(at)}`,
    ...before.map((line) => bar(outColors.dim(line))),
    ...lines.map(bar),
    ...(omitted > 0 ? [bar(outColors.dim(`… ${omitted} lines more`))] : []),
  ];
}

function wordAttempts(attempts: ErrorKindDetail['attempts']): string {
  const latest = attempts.slice(-5);
  return latest.map(({ instance, attempt, count }) => `${instance}#${attempt}: ${count}`).join(', ');
}

export function wordMute({ reason, owner, until }: NonNullable<ErrorKindView['mute']>): string {
  return `by ${owner}${until === null ? '' : ` until ${formatTime(until)}`}: ${reason}`;
}

export function wordMuted(kinds: readonly ErrorKindView[]): string {
  return kinds
    .map(({ service, id, title, mute }) => {
      const state = mute ? `muted ${wordMute(mute)}` : 'not muted any more';
      return `${service} ${shortId(id)} ${title}: ${state}`;
    })
    .join('\n');
}

export function wordMarks(marks: readonly MarkView[]): string {
  return (
    marks.map((mark) => `${mark.service}: mark ${mark.id}, ${wordMark(mark)}`).join('\n') || 'No services'
  );
}

function wordMark({ at, text }: MarkView): string {
  return text === '' ? formatTime(at) : `${formatTime(at)} (${text})`;
}

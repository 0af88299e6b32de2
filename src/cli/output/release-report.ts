/** The form that a release is documented with, and the timeline of a post-mortem, as Markdown. */
import type { ReleaseView, Requester } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { wordBuild, wordWhatServes } from './release.js';

const OUTCOMES: Readonly<Partial<Record<ReleaseView['status'], string>>> = {
  failed: 'failed',
  'rolled-back': 'rolled back',
  aborted: 'given up',
};

export function reportMarkdown(view: ReleaseView): string {
  return [
    `# Release ${view.id} of ${view.group}`,
    formTable(view),
    ...section('What went wrong', failureLines(view)),
    ...section('Configuration', keyLines(view)),
    ...section('Checks', checkTable(view)),
    ...section('Builds that were looked at', candidateTable(view)),
    ...section('Timeline', timeline(view)),
    ...section(
      'Notes',
      view.notes.map((text) => `- ${escape(text)}`),
    ),
  ].join('\n\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, lines.join('\n')];
}

function formTable(view: ReleaseView): string {
  const { build, target, requester, joined, abortedBy, acceptedAt, finishedAt } = view;
  const rows: [string, string][] = [
    ['Outcome', wordOutcome(view)],
    ['Kind', view.kind],
    ['Build', build ? `${wordBuild(build)}, sha256 ${build.sha256}` : 'none was chosen'],
    ['From', build?.from ?? '–'],
    [
      'Asked for',
      Object.entries(target)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ') || 'the latest',
    ],
    ['By', wordWho(requester) + (joined.length > 0 ? `, joined by ${joined.map(wordWho).join(', ')}` : '')],
    ...(abortedBy ? [['Given up by', wordWho(abortedBy)] as [string, string]] : []),
    ['Accepted', acceptedAt],
    ['Ended', finishedAt ?? 'not yet'],
    ['Took', finishedAt === null ? '–' : formatDuration(Date.parse(finishedAt) - Date.parse(acceptedAt))],
    ['Folder', view.folder ?? '–'],
    ['Before it', view.previous ?? 'nothing'],
    ['Plan', view.hash ?? '–'],
  ];
  return table(['', ''], rows);
}

function wordOutcome(view: ReleaseView): string {
  const { status, stage, kind } = view;
  if (status === 'succeeded') return kind === 'plan' ? 'it can be released' : 'succeeded; it serves';
  const outcome = OUTCOMES[status];
  return outcome === undefined ? `${status} (${stage ?? 'waiting'})` : `${outcome}; ${wordWhatServes(view)}`;
}

function failureLines({ failure }: ReleaseView): string[] {
  if (!failure) return [];
  const hint = failure.hint === undefined ? [] : ['', `Next step: ${escape(failure.hint)}`];
  const lines = failure.lines?.length ? ['', '```text', ...failure.lines, '```'] : [];
  return [escape(failure.message), ...hint, ...lines];
}

function keyLines({ keys }: ReleaseView): string[] {
  const line = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`- ${what}: ${names.map((name) => `\`${name}\``).join(', ')}`];
  return [...line('added', keys.added), ...line('removed', keys.removed), ...line('changed', keys.changed)];
}

function checkTable({ checks }: ReleaseView): string[] {
  if (checks.length === 0) return [];
  return [
    table(
      ['Stage', 'Check', 'Verdict', 'What'],
      checks.map(({ stage, name, verdict, text }) => [stage, name, verdict, text]),
    ),
  ];
}

function candidateTable({ candidates }: ReleaseView): string[] {
  if (candidates.length === 0) return [];
  const rows = candidates.map((each) => [
    each.pipeline ?? '–',
    each.origin ?? '–',
    each.name,
    each.status,
    each.archive ?? '–',
    each.expiresAt ?? '–',
    each.verdict,
  ]);
  return [table(['Pipeline', 'Source', 'Build', 'Status', 'Archive', 'Expires', 'Verdict'], rows)];
}

function timeline({ acceptedAt, stages, finishedAt, status, abortedBy }: ReleaseView): string[] {
  const rows = [
    [acceptedAt, 'accepted', ''],
    ...stages.map(({ stage, startedAt, finishedAt: end, text }) => [
      startedAt,
      stage,
      [text, end === null ? 'not ended' : formatDuration(Date.parse(end) - Date.parse(startedAt))]
        .filter((part) => part !== null)
        .join(' · '),
    ]),
    ...(finishedAt === null ? [] : [[finishedAt, status, abortedBy ? `by ${wordWho(abortedBy)}` : '']]),
  ];
  return [table(['When', 'Stage', 'What came out'], rows)];
}

function wordWho({ service, instance, command, pid, uid }: Requester): string {
  if (service !== null) return `${service}.${instance}`;
  const who = uid === null ? '' : `uid ${uid}`;
  return [command, pid === null ? null : `pid ${pid}`, who].filter(Boolean).join(', ') || 'unknown';
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What comes from logs and servers must not become a table, a link or a picture of its own. */
function escape(text: string): string {
  return text.replace(/[\\|<>[\]`*_]/g, '\\$&').replace(/\s*\n\s*/g, ' ');
}

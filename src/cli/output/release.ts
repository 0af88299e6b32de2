/** Words releases: how one ended, the table of `upkeep release list`, one in full. */
import {
  servesOn,
  type ReleaseCandidate,
  type ReleaseCheck,
  type ReleaseGroupView,
  type ReleaseView,
  type WaivedCheck,
} from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { outColors, type Paint } from './color.js';
import { wordRequester } from './operation.js';
import { formatTable, terminalWidth } from './table.js';
import { formatTime } from './time.js';

const STATUS_PAINT: Readonly<Partial<Record<ReleaseView['status'], Paint>>> = {
  succeeded: outColors.green,
  failed: outColors.red,
  'rolled-back': outColors.yellow,
  aborted: outColors.yellow,
};

const CHECK_PAINT: Readonly<Record<ReleaseCheck['verdict'], Paint>> = {
  passed: outColors.green,
  warned: outColors.yellow,
  waived: outColors.yellow,
  unknown: outColors.dim,
  failed: outColors.red,
};

/** `Released shop 1.4.2 (a1b2c3d) as release 12 in 14s` */
export function formatReleaseEnd(view: ReleaseView): string {
  const { id, group, kind, status, build, hash } = view;
  const took = formatDuration(Date.parse(view.finishedAt ?? view.acceptedAt) - Date.parse(view.acceptedAt));
  const what = `${group}${build ? ` ${wordBuild(build)}` : ''}`;
  const tables =
    view.candidates.length > 0 && status === 'failed' && !build
      ? `${formatCandidates(view.candidates)}\n`
      : '';
  switch (status) {
    case 'succeeded':
      if (kind === 'plan') return `${formatChecks(view)}Would release ${what}\nplan ${hash ?? '-'}`;
      return `${kind === 'rollback' ? 'Rolled back to' : 'Released'} ${what} as release ${id} (${took})`;
    case 'rolled-back':
      return `Release ${id} of ${what} was rolled back: ${wordWhatServes(view)} (${took})`;
    case 'aborted':
      return `Release ${id} of ${what} was given up: ${wordWhatServes(view)} (${took})`;
    default:
      return `${tables}Release ${id} of ${what} failed: ${wordWhatServes(view)} (${took})`;
  }
}

/** After one that has not succeeded. */
export function wordWhatServes(view: ReleaseView): string {
  if (view.status === 'rolled-back') return 'what served before serves again';
  if (servesOn(view)) return 'it could not be taken back, and serves';
  if (view.previous !== null) return 'what served before serves on';
  const hasBegun = view.stages.some(({ stage }) => stage === 'boot');
  return hasBegun ? 'its instances have ended, and no release was before it' : 'nothing has changed';
}

export function wordBuild({ version, commit, sha256 }: NonNullable<ReleaseView['build']>): string {
  const short = commit?.slice(0, 7) ?? sha256.slice(0, 7);
  return version === null ? short : `${version} (${short})`;
}

export function unfinishedRelease({ id }: ReleaseView): string {
  return `The daemon goes on with release ${id}\n  hint: upkeep release show ${id} --wait`;
}

export function formatGroups(groups: readonly ReleaseGroupView[]): string {
  if (groups.length === 0)
    return 'Nothing was released here\n  hint: describe it in upkeep.config, then: upkeep release';
  return groups.map(formatGroup).join('\n\n');
}

function formatGroup({ group, folder, services, current, lock, releases }: ReleaseGroupView): string {
  const names = services.join(', ') === group ? '' : ` (${services.join(', ')})`;
  const held = lock
    ? `\n${outColors.yellow(`locked: ${lock.owner}, ${lock.reason}, since ${formatTime(lock.since)}`)}`
    : '';
  const rows = releases.map((view) => [
    view.id === current ? outMark(view.id) : view.id,
    view.build ? wordBuild(view.build) : wordTarget(view),
    { text: view.kind },
    { text: view.status, paint: STATUS_PAINT[view.status] },
    formatTime(view.acceptedAt),
    view.failure?.message ?? '',
  ]);
  return `${outColors.bold(group)}${names} in ${folder}${held}\n${formatTable(
    [
      { title: 'ID' },
      { title: 'BUILD' },
      { title: 'KIND' },
      { title: 'STATUS' },
      { title: 'AT' },
      { title: 'WHY', isOptional: true, minWidth: 20 },
    ],
    rows,
    { width: terminalWidth(), paintTitle: outColors.dim },
  )}`;
}

function outMark(id: string): string {
  return `${id} ●`;
}

function wordTarget({ target }: ReleaseView): string {
  const { commit, ref, version, file } = target;
  return commit?.slice(0, 7) ?? ref ?? version ?? file ?? 'latest';
}

/** What was let through although it had failed, and why. */
export function formatWaived(waived: readonly WaivedCheck[]): string {
  if (waived.length === 0) return 'Nothing was waived here';
  const rows = waived.map(({ at, release, group, requester, check, waiver }) => [
    formatTime(at),
    release,
    group,
    check,
    waiver.reason,
    waiver.until ?? 'this release',
    wordRequester(requester),
  ]);
  return formatTable(
    [
      { title: 'AT' },
      { title: 'RELEASE' },
      { title: 'GROUP' },
      { title: 'CHECK', minWidth: 20 },
      { title: 'REASON', minWidth: 20 },
      { title: 'UNTIL' },
      { title: 'BY', minWidth: 10 },
    ],
    rows,
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
}

/** One release in full. */
export function formatRelease(view: ReleaseView): string {
  const { id, group, status, build, folder, requester, joined, failure, notes } = view;
  const who =
    requester.service === null
      ? (requester.command ?? 'unknown')
      : `${requester.service}.${requester.instance}`;
  const lines = [
    `Release ${id} of ${group}: ${(STATUS_PAINT[status] ?? String)(status)}`,
    `  asked for by ${who} at ${formatTime(view.acceptedAt)}${joined.length > 0 ? `, and ${joined.length} more` : ''}`,
    ...(build ? [`  build ${wordBuild(build)} from ${build.from}`] : []),
    ...(folder === null ? [] : [`  folder ${folder}`]),
    ...(view.hash === null ? [] : [`  plan ${view.hash}`]),
    ...view.stages.map(({ stage, startedAt, finishedAt, text }) => {
      const took = finishedAt === null ? '…' : formatDuration(Date.parse(finishedAt) - Date.parse(startedAt));
      return `  ${stage.padEnd(10)} ${took.padStart(7)}  ${text ?? ''}`.trimEnd();
    }),
    ...(view.progress === null ? [] : [`  now: ${view.progress}`]),
    ...wordKeys(view.keys),
  ];
  const why = failure
    ? `\n\n${outColors.red(failure.message)}${failure.hint === undefined ? '' : `\n  hint: ${failure.hint}`}`
    : '';
  const checks = view.checks.length > 0 ? `\n\n${formatChecks(view).trimEnd()}` : '';
  const candidates = view.candidates.length > 0 ? `\n\n${formatCandidates(view.candidates)}` : '';
  return `${lines.join('\n')}${why}${checks}${candidates}${notes.map((text) => `\nNote: ${text}`).join('')}`;
}

function wordKeys({ added, removed, changed }: ReleaseView['keys']): string[] {
  const parts = [
    ...added.map((key) => `+${key}`),
    ...removed.map((key) => `-${key}`),
    ...changed.map((key) => `~${key}`),
  ];
  return parts.length === 0 ? [] : [`  configuration: ${parts.join(' ')}`];
}

function formatChecks({ checks }: ReleaseView): string {
  if (checks.length === 0) return '';
  return `${formatTable(
    [
      { title: 'STAGE', isOptional: true },
      { title: 'CHECK' },
      { title: 'VERDICT' },
      { title: 'WHAT', minWidth: 30 },
    ],
    checks.map(({ stage, name, verdict, text }) => [
      stage,
      name,
      { text: verdict, paint: CHECK_PAINT[verdict] },
      text,
    ]),
    { width: terminalWidth(), paintTitle: outColors.dim },
  )}\n`;
}

function formatCandidates(candidates: readonly ReleaseCandidate[]): string {
  return formatTable(
    [
      { title: 'PIPELINE', isOptional: true },
      { title: 'SOURCE', isOptional: true },
      { title: 'BUILD' },
      { title: 'STATUS' },
      { title: 'ARCHIVE', isOptional: true },
      { title: 'EXPIRES', isOptional: true },
      { title: 'VERDICT', minWidth: 20 },
    ],
    candidates.map((each) => [
      each.pipeline ?? '',
      each.origin ?? '',
      each.name,
      each.status,
      each.archive ?? '',
      each.expiresAt ?? '',
      { text: each.verdict, paint: each.isChosen ? outColors.green : undefined },
    ]),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
}

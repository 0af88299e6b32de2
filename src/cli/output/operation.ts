/** Words operations: one line of success, each failed step with its hint, the table of `upkeep operations`. */
import type { OperationStep, OperationView, Requester } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { outColors, type Paint } from './color.js';
import type { Worded } from './error.js';
import { formatTable, terminalWidth, type Column } from './table.js';
import { formatTime } from './time.js';

type Action = OperationStep['action'];

const PAST: Readonly<Record<Action, string>> = {
  create: 'created',
  update: 'updated',
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
  reload: 'reloaded',
  delete: 'deleted',
  scale: 'scaled',
  signal: 'signalled',
  keep: 'unchanged',
  release: 'released',
};

/** `Created api and web, unchanged db (1.2s)`; many names are counted instead. */
export function summarize({ steps, startedAt, finishedAt, acceptedAt }: OperationView): string {
  const parts = [...namesByAction(steps)].map(([action, names]) => `${PAST[action]} ${wordNames(names)}`);
  const words = parts.length > 0 ? parts.join(', ') : 'nothing to do';
  const tookMs = Date.parse(finishedAt ?? acceptedAt) - Date.parse(startedAt ?? acceptedAt);
  return `${words[0]!.toUpperCase()}${words.slice(1)} (${formatDuration(tookMs)})`;
}

function namesByAction(steps: readonly OperationStep[]): Map<Action, string[]> {
  const groups = new Map<Action, string[]>();
  for (const { action, service } of steps) groups.set(action, [...(groups.get(action) ?? []), service]);
  return groups;
}

const MAX_NAMES = 4;

export function wordNames(names: readonly string[]): string {
  if (names.length > MAX_NAMES) return `${names.length} services`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** What to know although it went well. */
export function notesOf({ steps }: OperationView): string[] {
  return steps.flatMap(({ notes = [] }) => notes);
}

export function failuresOf({ kind, steps }: OperationView): Worded[] {
  return steps.flatMap(({ service, action, status, failure }) => {
    if (status !== 'failed' && !failure) return [];
    const verb = action === 'keep' ? kind : action;
    return [failure ?? { message: `Cannot ${verb} "${service}": the daemon gave no reason` }];
  });
}

/** After ctrl-C: the daemon owns the operation and carries it out. */
export function unfinished({ id, kind }: OperationView): string {
  return `The daemon goes on with operation ${id} (${kind})\n  hint: upkeep operation ${id} --wait`;
}

const COLUMNS: readonly Column[] = [
  { title: 'ID' },
  { title: 'OPERATION' },
  { title: 'STATUS' },
  { title: 'ACCEPTED' },
  { title: 'TOOK', align: 'right' },
  { title: 'SERVICES', minWidth: 12 },
  { title: 'BY', minWidth: 10 },
];

const PAINTS: Readonly<Record<OperationView['status'], Paint>> = {
  queued: outColors.yellow,
  running: outColors.cyan,
  succeeded: outColors.green,
  failed: outColors.red,
};

export function formatOperations(operations: readonly OperationView[]): string {
  const rows = operations.map((operation) => [
    operation.id,
    operation.kind,
    { text: operation.status, paint: PAINTS[operation.status] },
    formatTime(operation.acceptedAt),
    took(operation),
    wordNames([...new Set(operation.steps.map(({ service }) => service))]),
    wordRequesters(operation),
  ]);
  return formatTable(COLUMNS, rows, { width: terminalWidth(), paintTitle: outColors.dim });
}

export function formatOperation(operation: OperationView): string {
  const { id, kind, status, acceptedAt, steps } = operation;
  const head = `Operation ${id}: ${kind}, ${PAINTS[status](status)}, accepted ${formatTime(acceptedAt)}`;
  const by = `  by ${wordRequesters(operation)}`;
  const rows = steps.map((step) => [
    `  ${step.service}`,
    step.action,
    step.status,
    step.failure ? { text: step.failure.message, paint: outColors.red } : (step.progress ?? ''),
  ]);
  const columns: readonly Column[] = [
    { title: '  SERVICE' },
    { title: 'ACTION' },
    { title: 'STATUS' },
    { title: steps.some(({ failure }) => failure) ? 'FAILURE' : 'PROGRESS', isOptional: true },
  ];
  return [
    head,
    by,
    ...(operation.abortedBy ? [`  aborted by ${wordRequester(operation.abortedBy)}`] : []),
    ...(rows.length > 0 ? [formatTable(columns, rows, { paintTitle: outColors.dim })] : []),
  ].join('\n');
}

function took({ startedAt, finishedAt }: OperationView): string {
  return startedAt && finishedAt ? formatDuration(Date.parse(finishedAt) - Date.parse(startedAt)) : '';
}

function wordRequesters({ requester, joined }: OperationView): string {
  return wordRequester(requester) + (joined.length > 0 ? ` and ${joined.length} more` : '');
}

export function wordRequester({ service, instance, pid, command, uid }: Requester): string {
  if (service !== null) return instance === null ? service : `${service}.${instance}`;
  const who = uid === null ? '' : `uid ${uid}`;
  const what = pid === null ? '' : `pid ${pid}`;
  return [who, what].filter(Boolean).join(', ') + (command ? ` (${command})` : '') || 'unknown';
}

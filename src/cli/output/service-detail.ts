/** Words one service in full: `upkeep show`. */
import type {
  Evidence,
  InstanceView,
  ReadySpec,
  ServiceDetail,
  ServiceSpec,
  StackFrame,
} from '../../protocol/index.js';
import { formatBytes, formatDuration, quote } from '../../util/index.js';
import { outColors } from './color.js';
import { wordEnd } from './exit.js';
import { formatServices, isUnhealthy, wordStatus } from './service.js';
import { formatTime } from './time.js';

type Field = readonly [label: string, value: string];

export function formatServiceDetail(service: ServiceDetail, now: number): string {
  const { spec, logs, operations, instances } = service;
  return [
    formatServices([service], now),
    ...fieldsSection('Runs', programFields(spec)),
    ...fieldsSection('Policy', policyFields(spec)),
    ...fieldsSection('Logs', [['out', logs.out], ['err', logs.err], ...wordLoss(logs)]),
    ...instances.flatMap((instance) => exitSection(service.name, instance)),
    ...fieldsSection('Latest operations', operations.length > 0 ? [['ids', operations.join(' ')]] : []),
  ].join('\n');
}

function wordLoss({ lostBytes, lostLines }: ServiceDetail['logs']): Field[] {
  const words = `${lostLines} lines (${formatBytes(lostBytes)}) that could not be written, see upkeep events`;
  return lostBytes === 0 ? [] : [['lost', words]];
}

function programFields(spec: ServiceSpec): Field[] {
  const { argv, cwd, user, group, ports, envFiles, dependsOn, origin } = spec;
  return present([
    ['command', argv.map(quote).join(' ')],
    ['folder', cwd],
    ['user', [user, group].filter((part) => part !== null).join(':')],
    ['ports', ports.map(({ host, port }) => (host === null ? String(port) : `${host}:${port}`)).join(', ')],
    ['variables', `${Object.keys(spec.env).length} (upkeep env ${spec.name})`],
    ['env files', envFiles.join(', ')],
    ['secrets', Object.keys(spec.secrets).join(', ')],
    [
      'depends on',
      Object.entries(dependsOn)
        .map(([name, condition]) => `${name} (${condition})`)
        .join(', '),
    ],
    ['from', originOf(origin)],
  ]);
}

function originOf({ file, profile }: ServiceSpec['origin']): string {
  if (file === null) return 'the command line';
  return profile === null ? file : `${file}, profile ${profile}`;
}

function policyFields(spec: ServiceSpec): Field[] {
  const { restart, stop, ready, reload, health, limits, schedule, watch } = spec;
  return present([
    [
      'restart',
      `${restart.policy}, crash loop after ${restart.limit} in ${formatDuration(restart.windowMs)}`,
    ],
    ['stop', wordStop(stop)],
    ['ready', wordReady(ready)],
    ['reload', wordReload(reload)],
    ['sockets', wordSockets(spec)],
    ['health', health ? `${health.check.on} every ${formatDuration(health.intervalMs)}` : ''],
    ['memory', limits.memoryBytes === null ? '' : `at most ${formatBytes(limits.memoryBytes)}`],
    ['restart at', schedule?.restart ?? ''],
    ['run at', schedule?.run ?? ''],
    ['watches', watch?.paths.join(', ') ?? ''],
  ]);
}

function wordStop({ drainMs, message, signal, graceMs, killScope }: ServiceSpec['stop']): string {
  const first = message ? 'the message "shutdown"' : signal;
  const drain = drainMs === 0 ? '' : `drain for ${formatDuration(drainMs)}, `;
  return `${drain}${first}, SIGKILL after ${formatDuration(graceMs)}, the whole ${killScope}`;
}

function wordReload({ maxSurge, maxUnavailable, stableMs, verify }: ServiceSpec['reload']): string {
  const how =
    maxSurge > 0 ? `${maxSurge} beside the old at a time` : `${maxUnavailable} at a time, old one first`;
  const judged = verify ? `${verify.check.on} check, ` : '';
  return `${how}, ${judged}stable for ${formatDuration(stableMs)}`;
}

function wordSockets({ ports, sockets, preload }: ServiceSpec): string {
  if (ports.length === 0 && sockets.paths.length === 0 && sockets.inherit === 'auto') return '';
  const words = {
    auto: 'held by upkeep where the program inherits them',
    node: 'held by upkeep',
    systemd: 'held by upkeep, LISTEN_FDS',
    off: 'opened by the program',
  };
  const how = words[preload || sockets.inherit === 'systemd' ? sockets.inherit : 'off'];
  return [how, ...sockets.paths].join(', ');
}

function wordReady(ready: ReadySpec): string {
  const limit = `within ${formatDuration(ready.timeoutMs)}`;
  switch (ready.on) {
    case 'start':
      return 'as soon as the program runs';
    case 'message':
      return `it sends the message "ready" ${limit}`;
    case 'notify':
      return `it sends READY=1 to NOTIFY_SOCKET ${limit}`;
    case 'log':
      return `a line matches /${ready.pattern}/ ${limit}`;
    case 'check':
      return `the ${ready.check.on} check passes ${limit}`;
  }
}

function exitSection(
  name: string,
  { index, exit, why, ...instance }: InstanceView & { index: number },
): string[] {
  if (!exit) return [];
  const state = wordStatus(instance.status, isUnhealthy({ index, ...instance }));
  return [
    ...fieldsSection(`Last exit of instance ${index}, now ${state}`, [
      ['why', why ?? (exit.error ? `${wordEnd(exit)}, ${exit.reason}` : exit.reason)],
      ...(why === undefined ? [] : [['status', exit.reason] as const]),
      ['when', `${formatTime(exit.at)}, attempt ${exit.attempt} had lived ${formatDuration(exit.livedMs)}`],
      ...(exit.askedBy === null ? [] : [['asked by', exit.askedBy] as const]),
      ...(exit.evidence ? evidenceFields(exit.evidence) : []),
      ...(why === undefined ? [] : [['more', `upkeep why ${name} --attempt ${exit.attempt}`] as const]),
    ]),
    ...(exit.evidence?.frames ?? []).map((frame) => `    ${outColors.dim('at')} ${wordFrame(frame)}`),
    ...exit.lastLines.map((line) => `    ${outColors.dim('|')} ${line}`),
  ];
}

function evidenceFields({ summary, missing, openFiles, rssBytes }: Evidence): Field[] {
  const files = openFiles === null ? [] : [`${openFiles} open files`];
  const memory = rssBytes === null ? [] : [formatBytes(rssBytes)];
  const stack = missing === null ? [] : [`no stack: ${missing}`];
  return [['seen', [summary, ...files, ...memory, ...stack].join(', ')]];
}

export function wordFrame({ name, file, line, column }: StackFrame): string {
  return `${name === '' ? '(anonymous)' : name} (${file === '' ? 'eval' : file}:${line}:${column})`;
}

function present(fields: readonly Field[]): Field[] {
  return fields.filter(([, value]) => value !== '');
}

const LABEL_WIDTH = 12;

function fieldsSection(title: string, fields: readonly Field[]): string[] {
  if (fields.length === 0) return [];
  const lines = fields.map(([label, value]) => `  ${outColors.dim(label.padEnd(LABEL_WIDTH))}${value}`);
  return ['', outColors.bold(title), ...lines];
}

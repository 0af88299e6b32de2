/** Words one service in full: `upkeep show`. */
import type { InstanceView, ReadySpec, ServiceDetail, ServiceSpec } from '../../protocol/index.js';
import { formatBytes, formatDuration } from '../../util/index.js';
import { outColors } from './color.js';
import { formatServices, isUnhealthy, wordStatus } from './service.js';
import { formatTime } from './time.js';

type Field = readonly [label: string, value: string];

export function formatServiceDetail(service: ServiceDetail, now: number): string {
  const { spec, logs, operations, instances } = service;
  return [
    formatServices([service], now),
    ...fieldsSection('Runs', programFields(spec)),
    ...fieldsSection('Policy', policyFields(spec)),
    ...fieldsSection('Logs', [
      ['out', logs.out],
      ['err', logs.err],
    ]),
    ...instances.flatMap((instance) => exitSection(instance)),
    ...fieldsSection('Latest operations', operations.length > 0 ? [['ids', operations.join(' ')]] : []),
  ].join('\n');
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

function policyFields({ restart, stop, ready, health, limits, schedule, watch }: ServiceSpec): Field[] {
  return present([
    [
      'restart',
      `${restart.policy}, crash loop after ${restart.limit} in ${formatDuration(restart.windowMs)}`,
    ],
    ['stop', `${stop.signal}, SIGKILL after ${formatDuration(stop.graceMs)}, the whole ${stop.killScope}`],
    ['ready', wordReady(ready)],
    ['health', health ? `${health.check.on} every ${formatDuration(health.intervalMs)}` : ''],
    ['memory', limits.memoryBytes === null ? '' : `at most ${formatBytes(limits.memoryBytes)}`],
    ['restart at', schedule?.restart ?? ''],
    ['run at', schedule?.run ?? ''],
    ['watches', watch?.paths.join(', ') ?? ''],
  ]);
}

function wordReady(ready: ReadySpec): string {
  const limit = `within ${formatDuration(ready.timeoutMs)}`;
  switch (ready.on) {
    case 'start':
      return 'as soon as the program runs';
    case 'log':
      return `a line matches /${ready.pattern}/ ${limit}`;
    case 'check':
      return `the ${ready.check.on} check passes ${limit}`;
  }
}

function exitSection({ index, exit, ...instance }: InstanceView & { index: number }): string[] {
  if (!exit) return [];
  const state = wordStatus(instance.status, isUnhealthy({ index, ...instance }));
  return [
    ...fieldsSection(`Last exit of instance ${index}, now ${state}`, [
      ['why', exit.reason],
      ['when', `${formatTime(exit.at)}, attempt ${exit.attempt} had lived ${formatDuration(exit.livedMs)}`],
      ...(exit.askedBy === null ? [] : [['asked by', exit.askedBy] as const]),
    ]),
    ...exit.lastLines.map((line) => `    ${outColors.dim('|')} ${line}`),
  ];
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

/** As a shell would need it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

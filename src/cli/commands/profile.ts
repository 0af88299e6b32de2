import { closeSync, openSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { connectIfUsed, homeFrom } from '../../client/index.js';
import { findProfileTarget, InspectorError, takeProfile, type ProfileKind } from '../../inspector/index.js';
import { UpkeepError, type InstanceView } from '../../protocol/index.js';
import { formatBytes, formatDuration, parseDuration } from '../../util/index.js';
import { usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { note, print, printJson } from '../output/print.js';

const DEFAULT_MS = 10_000;
const SUFFIXES: Readonly<Record<ProfileKind, string>> = { cpu: 'cpuprofile', heap: 'heapsnapshot' };

export const command = defineCommand({
  summary: 'Profile a running Node.js service, into a file for Chrome DevTools',
  usage: 'profile <cpu|heap> <service>',
  examples: [
    'upkeep profile cpu api --duration 30s',
    'upkeep profile heap api --instance 1 --out api.heapsnapshot',
  ],
  options: {
    instance: { type: 'string', value: 'N', description: 'which instance, default 0' },
    pid: {
      type: 'string',
      value: 'PID',
      description: 'which of its processes, where it has several of Node.js',
    },
    duration: { type: 'string', value: 'TIME', description: 'how long a CPU profile takes, default 10s' },
    out: {
      type: 'string',
      value: 'FILE',
      description: 'default <service>.<instance>-<time>.cpuprofile, here',
    },
    json: JSON_OPTION,
  },
  operands: ['cpu', 'heap'],
  async run({ values, operands: [kind, name, ...others] }) {
    if ((kind !== 'cpu' && kind !== 'heap') || name === undefined || others.length > 0)
      throw usageError('profile', 'it needs cpu or heap, and a service');
    const durationMs = values.duration === undefined ? DEFAULT_MS : parseDuration(values.duration);
    if (durationMs === undefined) throw usageError('profile', `"${values.duration}" is not a duration`);
    const index = numberOf(values.instance ?? '0', 'instance');
    const service = await connectIfUsed(homeFrom(process.env)).call('service', { params: { name } });
    const pid = pidOf(name, index, service.instances);
    const target = await findProfileTarget(
      pid,
      values.pid === undefined ? undefined : numberOf(values.pid, 'pid'),
    );
    if ('fact' in target) throw cannot(name, target.fact, target.hint);
    const file = resolve(values.out ?? `${name}.${index}-${timestamp()}.${SUFFIXES[kind]}`);
    if (kind === 'cpu')
      note(`Profiling pid ${target.process.pid} for ${formatDuration(durationMs)}; ctrl-C ends it early`);
    const bytes = await writeTo(file, (fd) =>
      takeProfile(target, { kind, durationMs, fd, signal: interruption() }),
    ).catch((error: unknown) => {
      if (error instanceof InspectorError) throw cannot(name, error.message, HINT);
      throw error;
    });
    if (values.json) printJson({ file, bytes, pid: target.process.pid });
    else print(`${file} (${formatBytes(bytes)}): open it in Chrome DevTools, ${TABS[kind]}`);
  },
});

const TABS: Readonly<Record<ProfileKind, string>> = { cpu: 'Performance', heap: 'Memory' };
const HINT =
  'an application that handles SIGUSR1 itself, and one without the preload beside another inspector, cannot be asked';

function pidOf(name: string, index: number, instances: readonly InstanceView[]): number {
  const instance = instances.find((each) => each.index === index && each.role === 'serving');
  if (!instance) throw usageError('profile', `"${name}" has no instance ${index}`);
  if (instance.pid !== null) return instance.pid;
  throw new UpkeepError('not-running', `Cannot profile "${name}": instance ${index} is ${instance.status}`);
}

function numberOf(text: string, option: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw usageError('profile', `--${option} "${text}" is not a number`);
}

function cannot(name: string, fact: string, hint: string | undefined): UpkeepError {
  return new UpkeepError('unsupported', `Cannot profile "${name}": ${fact}`, { hint });
}

/** Of what is in memory, secrets too: for nobody else. What failed leaves nothing behind. */
async function writeTo(file: string, write: (fd: number) => Promise<number>): Promise<number> {
  const fd = openFile(file);
  try {
    return await write(fd);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function openFile(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (cause) {
    const fact = (cause as NodeJS.ErrnoException).code === 'EEXIST' ? 'it exists' : (cause as Error).message;
    throw new UpkeepError('usage', `Cannot write "${file}": ${fact}`, {
      cause,
      hint: 'name another file: --out',
    });
  }
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

function timestamp(): string {
  return new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
}

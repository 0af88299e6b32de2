/**
 * What the audit subsystem of Linux has noted of signals and of crashes: in the log of auditd, or, where none runs, in the kernel's own.
 * Signals are there only under a rule for the calls that send them (`AUDIT_RULE`).
 */
import { accessSync, closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { KernelRecord } from './kernel-log.js';
import { isFirstPidNamespace, type Answer, type SeenSignal } from './signal-trace.js';

/** Signal 0 only asks whether somebody is there. */
export const AUDIT_RULE =
  'auditctl -a always,exit -F arch=b64 -S kill -S pidfd_send_signal -F a1!=0 -k upkeep';

/** A signal by a system call: what the call itself tells of its sender, who may have ended since. */
export interface AuditedSignal extends SeenSignal {
  readonly senderUid: number | null;
  /** Its whole command line, or its program. */
  readonly senderCommand: string | null;
}

/** ANOM_ABEND: ended by a signal that dumps core, whoever sent it. */
export interface AuditedCrash {
  readonly at: number;
  readonly pid: number;
  readonly signal: number;
  readonly program: string;
}

export interface AuditRecords {
  readonly signals: readonly AuditedSignal[];
  readonly crashes: readonly AuditedCrash[];
}

const CONFIGURATION = '/etc/audit/auditd.conf';
const DEFAULT_LOG = '/var/log/audit/audit.log';
/** Some 500 signals; with other rules, some seconds of a busy machine. */
const TAIL_BYTES = 512 * 1024;
const FIRST_LINE = /^[^\n]*\n/;
const LINE = /^(?:node=\S+ )?(?:audit: )?type=(\w+) (?:msg=)?audit\((\d+\.\d+):(\d+)\): ?(.*)$/;
const FIELD = /(\w+)=("[^"]*"|'[^']*'|\S+)/g;
/** What auditd adds for people (log_format = ENRICHED). */
const ENRICHED = '\u001d';
/** As auditd calls them, and as the kernel numbers them. */
const KINDS: Readonly<Record<string, Kind>> = {
  SYSCALL: 'call',
  OBJ_PID: 'target',
  PROCTITLE: 'command',
  ANOM_ABEND: 'crash',
  1300: 'call',
  1318: 'target',
  1327: 'command',
  1701: 'crash',
};
const PIDFD_SEND_SIGNAL = 424;
const SI_TKILL = -6;
/** kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal: by architecture and number. */
const CALLS: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  c000003e: calls(62, 200, 234, 129, 297),
  c00000b7: calls(129, 130, 131, 138, 240),
};

function calls(
  kill: number,
  tkill: number,
  tgkill: number,
  queue: number,
  threadQueue: number,
): Record<string, Call> {
  return {
    [kill]: { signalIn: 'a1', code: 0 },
    [tkill]: { signalIn: 'a1', code: SI_TKILL },
    [tgkill]: { signalIn: 'a2', code: SI_TKILL },
    [queue]: { signalIn: 'a1', code: 0 },
    [threadQueue]: { signalIn: 'a2', code: 0 },
    [PIDFD_SEND_SIGNAL]: { signalIn: 'a1', code: 0 },
  };
}

type Kind = 'call' | 'target' | 'command' | 'crash';
interface Call {
  readonly signalIn: 'a1' | 'a2';
  readonly code: number;
}
type Fields = ReadonlyMap<string, string>;

/** What belongs to one event, in which targets follow the call. */
interface AuditEvent {
  readonly at: number;
  call?: Fields;
  command?: string;
  readonly targets: number[];
}

/** auditd writes to it, some milliseconds after the fact. */
export function isAuditLogReadable(path = logPath()): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false; // not there, or not ours
  }
}

/** Since the time given, as far as the end of the log reaches back; `kernel`: what the kernel has said, where no auditd took it. */
export function readAuditLog(
  since: number,
  kernel: Answer<readonly KernelRecord[]>,
  path = logPath(),
): Answer<AuditRecords> {
  if (!isFirstPidNamespace())
    return { missing: 'the daemon runs in a pid namespace of its own (a container)' };
  const text = readAuditTail(path);
  if (typeof text === 'string') return { found: parseAudit(text, since) };
  if (text.code !== 'ENOENT') return { missing: `${path} cannot be read: ${text.code}` };
  const records = 'found' in kernel ? kernel.found.map((record) => record.text) : [];
  const found = parseAudit(records.join('\n'), since);
  return isEmpty(found) ? { missing: `there is no ${path}` } : { found };
}

function isEmpty({ signals, crashes }: AuditRecords): boolean {
  return signals.length + crashes.length === 0;
}

function logPath(): string {
  try {
    const line = /^\s*log_file\s*=\s*(\/\S+)/m.exec(readFileSync(CONFIGURATION, 'utf8'));
    return line?.[1] ?? DEFAULT_LOG;
  } catch {
    return DEFAULT_LOG; // it is not installed, or not ours to read
  }
}

/** Of whole lines; or why not. */
export function readAuditTail(path: string): string | { readonly code: string } {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      const from = Math.max(0, size - TAIL_BYTES);
      const bytes = Buffer.alloc(size - from);
      const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, from));
      return from === 0 ? text : text.replace(FIRST_LINE, '');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** `since`: wall clock, milliseconds since the epoch. Oldest first. */
export function parseAudit(text: string, since: number): AuditRecords {
  const events = new Map<string, AuditEvent>();
  const crashes: AuditedCrash[] = [];
  for (const line of text.split('\n')) {
    const [, type = '', seconds, serial, rest = ''] = LINE.exec(line) ?? [];
    const kind = KINDS[type];
    const at = Number(seconds) * 1000;
    if (kind === undefined || !(at >= since)) continue;
    const fields = readFields(rest);
    if (kind === 'crash') {
      const [pid, signal] = [Number(fields.get('pid')), Number(fields.get('sig'))];
      crashes.push({ at, pid, signal, program: fields.get('exe') ?? fields.get('comm') ?? '' });
      continue;
    }
    const key = `${seconds}:${serial}`;
    const event = events.get(key) ?? { at, targets: [] };
    events.set(key, event);
    if (kind === 'call') event.call = fields;
    else if (kind === 'target') event.targets.push(Number(fields.get('opid')));
    else event.command = fields.get('proctitle') ?? '';
  }
  const signals = [...events.values()].flatMap(toSignals).sort((a, b) => a.at - b.at);
  return { signals, crashes };
}

function toSignals({ at, call, command, targets }: AuditEvent): AuditedSignal[] {
  const kind = CALLS[call?.get('arch') ?? '']?.[call?.get('syscall') ?? ''];
  const signal = kind && Number.parseInt(call?.get(kind.signalIn) ?? '', 16);
  if (!call || !kind || !signal || call.get('success') !== 'yes') return [];
  const sender = Number(call.get('pid'));
  const uid = Number(call.get('uid'));
  const senderName = call.get('comm') ?? '';
  const senderCommand = command || call.get('exe') || null;
  const senderUid = Number.isInteger(uid) ? uid : null;
  return targets.map((target) => ({
    ...{ at, signal, target, sender, senderName, code: kind.code },
    ...{ senderUid, senderCommand },
  }));
}

function readFields(text: string): Fields {
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of text.split(ENRICHED)[0]!.matchAll(FIELD))
    fields.set(name, clean(name, value));
  return fields;
}

/** Text with blanks, quotes or control characters is in hexadecimal, without quotes. */
const TEXTS = ['comm', 'exe', 'proctitle', 'ocomm'];

function clean(name: string, value: string): string {
  if (/^["']/.test(value)) return value.slice(1, -1);
  if (!TEXTS.includes(name) || !/^(?:[0-9A-F]{2})+$/.test(value)) return value === '(null)' ? '' : value;
  return Buffer.from(value, 'hex').toString('utf8').replaceAll('\0', ' ').trim();
}

/** Whether what the release needs answers: asked from this host, all at the same time. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import type { RequirementSpec } from '../../protocol/index.js';
import { killGroup, withDeadline } from '../../system/index.js';
import { maskPath } from '../../util/index.js';
import { currentIn } from '../folder/index.js';
import { settler } from '../settle.js';
import type { Facts, ServiceFacts } from './facts/facts.js';
import type { Finding } from './finding.js';
import { asUser, runProbe, whyNoProbe, type ProbeAnswer } from './probe/run-probe.js';

export function judgeRequirements(facts: Facts, signal: AbortSignal): Promise<Finding[]> {
  return Promise.all(facts.job.spec.requires.map((requirement) => judge(requirement, facts, signal)));
}

interface Fault {
  readonly fact: string;
  readonly hint?: string;
  /** Whether it works is not known. */
  readonly isUnasked?: true;
}

async function judge(requirement: RequirementSpec, facts: Facts, signal: AbortSignal): Promise<Finding> {
  const place = wordPlace(requirement);
  const fault = await withDeadline(signal, requirement.timeoutMs, async (within) => {
    const answer = await ask(requirement, facts, within);
    return within.aborted ? { fact: `no answer within ${requirement.timeoutMs} ms` } : answer;
  });
  signal.throwIfAborted();
  const subject = requirement.on === 'sql' ? requirement.key : place;
  const finding = { area: 'requires', rule: requirement.on, subject } as const;
  const from = `from host "${facts.host}"`;
  if (fault === null) return { ...finding, verdict: 'passed', text: `${place} answers ${from}` };
  const { fact, hint, isUnasked }: Fault = fault;
  if (isUnasked)
    return {
      ...finding,
      verdict: 'unknown',
      text: `${place} was not asked ${from}: ${fact}`,
      ...(hint ? { hint } : {}),
    };
  const verb = requirement.on === 'sql' ? 'cannot be used' : 'does not answer';
  return {
    ...finding,
    verdict: 'failed',
    text: `${place} ${verb} ${from}: ${fact}`,
    hint: hint ?? HINTS[fact.split(' ')[0]!] ?? `see that ${place} works ${from}`,
  };
}

/** By what the kernel or the resolver says. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start it, or correct the port',
  ENOTFOUND: 'the name is not known: correct it, or its DNS',
  EAI_AGAIN: 'the resolver of this host does not answer: see /etc/resolv.conf',
  EHOSTUNREACH: 'there is no way to it: see routes and firewalls',
  ENETUNREACH: 'there is no way to it: see routes and firewalls',
  ENOENT: 'the command is not there: install it on this host',
  no: 'it is down, slow, or a firewall drops what is sent to it',
};

/** Without credentials: of a URL neither user nor query, of a command only its program. */
function wordPlace(requirement: RequirementSpec): string {
  switch (requirement.on) {
    case 'tcp':
      return `${requirement.host.includes(':') ? `[${requirement.host}]` : requirement.host}:${requirement.port}`;
    case 'http': {
      const { protocol, host, pathname } = new URL(requirement.url);
      return `${protocol}//${host}${maskPath(pathname)}`;
    }
    case 'sql':
      return `the database of ${requirement.key}`;
    case 'command':
      return `command ${basename(requirement.argv[0]!)}`;
  }
}

/** null: it answers. */
function ask(requirement: RequirementSpec, facts: Facts, signal: AbortSignal): Promise<Fault | null> {
  switch (requirement.on) {
    case 'tcp':
      return askTcp(requirement.host, requirement.port, signal);
    case 'http':
      return askHttp(requirement.url, signal);
    case 'sql':
      return askSql(requirement, facts, signal);
    case 'command':
      return runCommand(requirement.argv, facts, signal);
  }
}

function askTcp(host: string, port: number, signal: AbortSignal): Promise<Fault | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (fact: string | null): void => {
      socket.destroy();
      resolve(fact === null ? null : { fact });
    };
    socket.once('connect', () => end(null));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'it fails'));
    signal.addEventListener('abort', () => end('no answer'), { once: true });
  });
}

async function askHttp(url: string, signal: AbortSignal): Promise<Fault | null> {
  try {
    const { username, password, ...rest } = partsOf(url);
    const headers: Record<string, string> =
      username === '' ? {} : { authorization: `Basic ${btoa(`${username}:${password}`)}` };
    const { status, body } = await fetch(rest.href, { signal, headers, redirect: 'manual' });
    await body?.cancel();
    return status < 400 ? null : { fact: `status ${status}` };
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
    return { fact: typeof code === 'string' ? code : 'it fails' };
  }
}

/** fetch takes no URL with credentials. */
function partsOf(url: string): { href: string; username: string; password: string } {
  const parsed = new URL(url);
  const [username, password] = [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password)];
  parsed.username = '';
  parsed.password = '';
  return { href: parsed.href, username, password };
}

/** As the first service would: with its user, its Node.js, its environment, and the driver that it finds. */
async function askSql(
  { key, timeoutMs }: Extract<RequirementSpec, { on: 'sql' }>,
  { folder, services, findings }: Facts,
  signal: AbortSignal,
): Promise<Fault | null> {
  const { spec, node = process.execPath, user, environment } = services[0]!;
  const env = environmentOf(services[0]);
  if (!env[key]) {
    if (findings.some(({ rule, subject }) => rule === 'environment' && subject === spec.name))
      return { fact: `the environment of ${spec.name} is not complete`, isUnasked: true };
    return { fact: `${key} is not set for ${spec.name}`, hint: `set ${key} under env, envFiles or secrets` };
  }
  const barred = whyNoProbe(user);
  if (barred !== undefined)
    return { fact: barred, hint: 'install upkeep where everybody can read it', isUnasked: true };
  const from = [...(spec.script === null ? [] : [spec.script]), join(spec.cwd, 'x'), join(folder, 'x')];
  const certificates = environment.get('NODE_EXTRA_CA_CERTS')?.value;
  const { lines, died } = await runProbe(
    { task: 'sql', from, key, env },
    {
      node,
      cwd: folder,
      user,
      signal,
      patienceMs: timeoutMs + 1000, // the signal comes first
      ...(certificates === undefined ? {} : { env: { NODE_EXTRA_CA_CERTS: certificates } }),
    },
  ).catch((): ProbeAnswer => ({ lines: [], died: 'was given up' }));
  for (const line of lines) {
    if ('answered' in line) return null;
    if ('fault' in line) return { fact: line.fault, hint: line.hint };
  }
  return { fact: `the driver ${died ?? 'ended'} while it asked`, hint: 'connect by hand with the same URL' };
}

function environmentOf(service: ServiceFacts | undefined): Record<string, string> {
  return Object.fromEntries([...(service?.environment ?? [])].map(([key, { value }]) => [key, value]));
}

/** With everything that the first service gets, in the folder of the release. */
function runCommand(argv: readonly string[], facts: Facts, signal: AbortSignal): Promise<Fault | null> {
  const { folder, services, job } = facts;
  const [program, ...args] = argv.map(settler(currentIn(job.spec.folder), folder));
  const [first] = services;
  const env = environmentOf(first);
  const child = spawn(program!, args, {
    cwd: folder,
    env,
    stdio: 'ignore', // what it prints may hold what it was told
    detached: true,
    ...asUser(first?.user),
  });
  const end = (): void => killGroup(child.pid);
  signal.addEventListener('abort', end, { once: true });
  return new Promise((resolve) => {
    const settle = (fact: string | null): void => {
      signal.removeEventListener('abort', end);
      end(); // what it has started
      resolve(fact === null ? null : { fact });
    };
    child.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'it cannot be run'));
    child.once('exit', (code, by) => settle(code === 0 ? null : (by ?? `exit code ${code ?? 0}`)));
  });
}

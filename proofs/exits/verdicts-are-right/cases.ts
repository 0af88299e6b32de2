/** Ways to end, each labelled with what really happened. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { ServiceConfig } from '../../../src/config/index.js';
import type { ExitCause, Verdict } from '../../../src/protocol/index.js';
import type { Rig } from '../../../test/rig/index.js';

export interface Stage {
  readonly rig: Rig;
  readonly name: string;
  readonly pid: number;
  /** What the program printed as `pid <number>`. */
  childPid(): Promise<number>;
}

/** Whose the signal was: `proof` this process, `kill` the program kill(1), which has ended by then. */
export type Sender = 'proof' | 'kill' | 'main' | 'tree' | 'kernel';

export interface Case {
  readonly name: string;
  readonly service: ServiceConfig;
  /** What happened. */
  readonly cause: ExitCause;
  readonly by?: Sender;
  /** True as well where sources are missing, but not the whole of it. */
  readonly partly?: readonly ExitCause[];
  /** What ends it, once it has printed "up". */
  readonly act?: (stage: Stage) => Promise<unknown> | void;
  /** @default 1 */
  readonly attempt?: number;
  /** What the summary must say. */
  readonly words?: RegExp;
}

export interface Workshop {
  /** Writes a program and answers its path. */
  program(name: string, text: string, mode?: number): string;
  readonly takenPort: number;
  /** A control group with a limit of 60 MB that may be entered; null: there is none. */
  readonly group: string | null;
}

const UP = 'console.log("up");';
const WAIT = `${UP} setInterval(() => undefined, 1e6);`;
const never: { restart: 'never'; ports: number[] } = { restart: 'never', ports: [] };

/** By this process, which lives on. */
const kill =
  (signal: NodeJS.Signals) =>
  ({ pid }: Stage): void =>
    void process.kill(pid, signal);
/** By the program kill(1). */
const killByProgram =
  (signal: string) =>
  ({ pid }: Stage): Promise<unknown> =>
    new Promise((done) => execFile('/bin/kill', [`-${signal}`, String(pid)], done));
const killChild =
  (signal: NodeJS.Signals) =>
  async ({ childPid }: Stage): Promise<void> =>
    void process.kill(await childPid(), signal);

export function makeCases({ program, takenPort, group }: Workshop): Case[] {
  const node = (name: string, text: string, config: ServiceConfig = {}): ServiceConfig => ({
    ...never,
    script: program(`${name}.cjs`, text),
    ...config,
  });
  const shell = (command: string, config: ServiceConfig = {}): ServiceConfig => ({
    ...never,
    command: ['/bin/sh', '-c', command],
    ...config,
  });
  const python = (name: string, text: string): ServiceConfig => ({
    ...never,
    command: ['/usr/bin/python3', program(`${name}.py`, text)],
  });
  const waits = program('waits.cjs', `console.log('pid ' + process.pid); ${WAIT}`);
  const spams = program('spams.cjs', 'setInterval(() => process.stdout.write("x".repeat(65536)), 5)');
  const own: Case[] = [
    { name: 'no-work', service: node('no-work', `setTimeout(() => undefined, 20)`), cause: 'out-of-work' },
    {
      name: 'exit-0',
      service: node('exit-0', 'setTimeout(() => process.exit(0), 20)'),
      cause: 'exit-call',
      words: /exit-0\.cjs:1/,
    },
    {
      name: 'exit-3',
      service: node('exit-3', 'setTimeout(() => process.exit(3), 20)'),
      cause: 'exit-call',
      words: /\(3\)/,
    },
    {
      name: 'exit-at-boot',
      service: node('exit-at-boot', 'process.exit(2)', { ready: 'message' }),
      cause: 'exit-call',
    },
    { name: 'exit-code', service: node('exit-code', 'process.exitCode = 4'), cause: 'exit-code', words: /4/ },
    { name: 'shell-code', service: shell('exit 7'), cause: 'exit-code', words: /7/ },
    {
      name: 'throws',
      service: node('throws', 'setTimeout(() => null.models, 20)'),
      cause: 'exception',
      words: /models.*throws\.cjs:1/,
    },
    {
      name: 'throws-at-boot',
      service: node('throws-at-boot', 'throw new RangeError("no")'),
      cause: 'exception',
    },
    {
      name: 'throws-text',
      service: node('throws-text', 'setTimeout(() => { throw "text" }, 20)'),
      cause: 'exception',
    },
    {
      name: 'rejects',
      service: node('rejects', 'setTimeout(() => Promise.reject(new Error("late")), 20)'),
      cause: 'rejection',
    },
    {
      name: 'caught-then-exit',
      service: node(
        'caught-then-exit',
        'process.on("uncaughtException", () => setTimeout(() => process.exit(5), 300)); setTimeout(() => null.x, 20)',
      ),
      cause: 'exit-call',
    },
    {
      name: 'unsettled',
      service: { ...never, script: program('unsettled.mjs', 'await new Promise(() => undefined)') },
      cause: 'out-of-work',
      words: /await/,
    },
    {
      name: 'v8-heap',
      service: {
        ...never,
        command: [
          process.execPath,
          '--max-old-space-size=24',
          program('heap.cjs', 'const a = []; for (;;) a.push({ a })'),
        ],
      },
      cause: 'heap-out-of-memory',
    },
    {
      name: 'worker-heap',
      service: node(
        'worker-heap',
        'new (require("worker_threads").Worker)("const a=[];for(;;)a.push({a})", { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } })',
      ),
      cause: 'heap-out-of-memory',
    },
    {
      name: 'abort',
      service: node('abort', 'setTimeout(() => process.abort(), 20)'),
      cause: 'exit-call',
      words: /abort/,
    },
    { name: 'syntax', service: node('syntax', 'const = 1'), cause: 'syntax-error' },
    {
      name: 'no-json',
      service: node('no-json', 'setTimeout(() => JSON.parse("<html>"), 20)'),
      cause: 'exception',
    },
    {
      name: 'no-field',
      service: node('no-field', 'setTimeout(() => undefined.MAX_SIZE, 20)'),
      cause: 'exception',
      words: /MAX_SIZE/,
    },
    {
      name: 'ends-its-helper',
      service: node(
        'ends-its-helper',
        `const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"]); setTimeout(() => { child.kill("SIGTERM"); child.once("exit", () => process.exit(1)); }, 300)`,
      ),
      cause: 'exit-call',
      words: /^it called process\.exit\(1\) at ends-its-helper/,
    },
    { name: 'python-throws', service: python('throws', 'raise ValueError("no")'), cause: 'exception' },
    { name: 'python-module', service: python('module', 'import no_such_module'), cause: 'module-missing' },
    {
      name: 'native-fault',
      service: python('fault', 'import ctypes\nctypes.string_at(0)'),
      cause: 'native-crash',
      partly: ['signal'],
    },
    {
      name: 'native-abort',
      service: python('abort', 'import ctypes\nctypes.CDLL(None).abort()'),
      cause: 'native-crash',
      partly: ['signal'],
    },
    {
      name: 'cpu-limit',
      service: shell(`ulimit -t 1; exec ${process.execPath} -e 'for (;;);'`),
      cause: 'signal',
      by: 'kernel',
      partly: ['signal'],
    },
    {
      name: 'sigpipe',
      service: python(
        'pipe',
        'import os, signal\nsignal.signal(signal.SIGPIPE, signal.SIG_DFL)\nr, w = os.pipe()\nos.close(r)\nos.write(w, b"x")',
      ),
      cause: 'signal',
      by: 'kernel',
      partly: ['signal'],
    },
  ];
  const missing: Case[] = [
    {
      name: 'port',
      service: node('port', `require("net").createServer().listen(${takenPort}, "127.0.0.1")`),
      cause: 'port-taken',
      words: new RegExp(`${takenPort}.*pid ${process.pid}`),
    },
    {
      name: 'port-v6',
      service: node('port-v6', `require("net").createServer().listen(${takenPort}, "::ffff:127.0.0.1")`),
      cause: 'port-taken',
      words: new RegExp(`port ${takenPort} .*pid ${process.pid}`),
    },
    { name: 'module', service: node('module', 'require("no-such-module")'), cause: 'module-missing' },
    {
      name: 'package',
      service: { ...never, script: program('package.mjs', 'import "no-such-package"') },
      cause: 'module-missing',
    },
    {
      name: 'file',
      service: node('file', 'require("fs").readFileSync("/no/such/file")'),
      cause: 'file-missing',
      words: /\/no\/such\/file/,
    },
    {
      name: 'spawn-missing',
      service: node('spawn-missing', 'require("child_process").spawn("no-such-program")'),
      cause: 'file-missing',
    },
    {
      name: 'permission',
      service: node(
        'permission',
        `require("child_process").execFileSync(${JSON.stringify(program('no-exec.sh', '#!/bin/sh\n'))})`,
      ),
      cause: 'permission-denied',
    },
    {
      name: 'shell-permission',
      service: shell(program('no-exec-2.sh', '#!/bin/sh\n')),
      cause: 'permission-denied',
    },
    { name: 'shell-command', service: shell('no-such-command'), cause: 'interpreter-missing' },
    {
      name: 'shebang',
      service: shell(program('shebang', '#!/no/such/interpreter\n', 0o755)),
      cause: 'interpreter-missing',
      partly: ['file-missing'],
    },
    {
      name: 'environment',
      service: node(
        'environment',
        'if (!process.env.DATABASE_URL) throw new Error("Missing environment variable DATABASE_URL")',
      ),
      cause: 'environment-missing',
      words: /DATABASE_URL/,
    },
    { name: 'shell-environment', service: shell(': "${DATABASE_URL:?}"'), cause: 'environment-missing' },
    {
      name: 'script-gone',
      service: node('script-gone', WAIT, { restart: 'on-failure' }),
      cause: 'file-missing',
      attempt: 2,
      act: ({ rig, pid }) => {
        rig.remove('script-gone.cjs');
        process.kill(pid, 'SIGKILL');
      },
    },
  ];
  const signals: Case[] = [
    ...(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGSEGV', 'SIGABRT', 'SIGUSR2'] as const).map(
      (signal) => ({
        name: `stranger-${signal.slice(3).toLowerCase()}`,
        service: node(`stranger-${signal}`, WAIT),
        cause: 'signal' as const,
        by: 'proof' as const,
        act: kill(signal),
      }),
    ),
    {
      name: 'kill-program',
      service: node('kill-program', WAIT),
      cause: 'signal',
      by: 'kill',
      act: killByProgram('KILL'),
    },
    {
      name: 'term-handled',
      service: node(
        'term-handled',
        `process.on("SIGTERM", () => setTimeout(() => process.exit(0), 200)); ${WAIT}`,
      ),
      cause: 'signal',
      by: 'proof',
      partly: ['exit-call'],
      act: kill('SIGTERM'),
    },
    {
      name: 'term-handled-143',
      service: node('term-handled-143', `process.on("SIGTERM", () => process.exit(143)); ${WAIT}`),
      cause: 'signal',
      by: 'proof',
      partly: ['exit-call'],
      act: kill('SIGTERM'),
    },
    {
      name: 'term-passed-on',
      service: node(
        'term-passed-on',
        `process.once("SIGTERM", () => process.kill(process.pid, "SIGTERM")); ${WAIT}`,
      ),
      cause: 'signal',
      by: 'proof',
      act: kill('SIGTERM'),
    },
    {
      name: 'itself-kill',
      service: node('itself-kill', 'setTimeout(() => process.kill(process.pid, "SIGKILL"), 50)'),
      cause: 'signal',
      by: 'main',
    },
    {
      name: 'itself-segv',
      service: node(
        'itself-segv',
        'setTimeout(() => process.kill(process.pid, "SIGSEGV"), 50); setTimeout(() => undefined, 1e6)',
      ),
      cause: 'signal',
      by: 'main',
    },
    {
      name: 'child',
      service: node(
        'child',
        `require("child_process").spawn(process.execPath, ["-e", "process.kill(" + process.pid + ", 'SIGKILL'); setTimeout(() => 1, 2000)"]); ${WAIT}`,
      ),
      cause: 'signal',
      by: 'tree',
    },
    {
      name: 'grandchild',
      service: node(
        'grandchild',
        `const inner = "process.kill(" + process.pid + ", 'SIGTERM'); setTimeout(() => 1, 2000)"; require("child_process").spawn("/bin/sh", ["-c", process.execPath + ' -e "' + inner + '"; true']); ${WAIT}`,
      ),
      cause: 'signal',
      by: 'tree',
    },
    {
      name: 'wrapper-killed',
      service: shell(`${process.execPath} ${waits}; true`),
      cause: 'signal',
      by: 'proof',
      act: kill('SIGKILL'),
    },
    {
      name: 'behind-shell',
      service: shell(`${process.execPath} ${waits}; exit $?`),
      cause: 'signal',
      by: 'proof',
      act: killChild('SIGKILL'),
    },
    {
      name: 'parent-shell',
      service: shell(`${process.execPath} ${waits} & sleep 1; kill -9 $!; wait $!`),
      cause: 'signal',
      by: 'main',
    },
    {
      name: 'behind-node',
      service: node(
        'behind-node',
        `require("child_process").spawn(process.execPath, [${JSON.stringify(waits)}], { stdio: "inherit" }).on("exit", (code) => process.exit(code ?? 1))`,
      ),
      cause: 'signal',
      by: 'proof',
      act: killChild('SIGTERM'),
    },
    {
      name: 'timeout',
      service: { ...never, command: ['timeout', '1', process.execPath, waits] },
      cause: 'time-limit',
    },
    {
      name: 'timeout-kill',
      service: { ...never, command: ['timeout', '-s', 'KILL', '1', process.execPath, waits] },
      cause: 'time-limit',
      partly: ['signal'],
    },
    {
      name: 'shim-killed',
      service: node('shim-killed', WAIT),
      cause: 'parent-died',
      by: 'proof',
      act: async ({ pid }) => {
        const { readProcess } = await import('../../../src/system/index.js');
        process.kill(readProcess(pid)!.parent, 'SIGKILL');
      },
    },
  ];
  const exec = (options: string, then: string): string =>
    `require("child_process").exec(${JSON.stringify(`${process.execPath} ${spams}`)}, ${options}, (error) => { ${then} })`;
  const buffers: Case[] = [
    {
      name: 'max-buffer',
      service: node('max-buffer', exec('{}', '')),
      cause: 'exec-max-buffer',
      words: /max-buffer\.cjs:1|spams/,
    },
    {
      name: 'max-buffer-thrown',
      service: node('max-buffer-thrown', exec('{ maxBuffer: 1000 }', 'if (error) throw error')),
      cause: 'exec-max-buffer',
    },
    {
      name: 'max-buffer-exit',
      service: node('max-buffer-exit', exec('{}', 'process.exit(1)')),
      cause: 'exec-max-buffer',
    },
    {
      name: 'max-buffer-sync',
      service: node(
        'max-buffer-sync',
        `require("child_process").execSync(${JSON.stringify(`${process.execPath} ${spams}`)})`,
      ),
      cause: 'exec-max-buffer',
    },
    {
      name: 'max-buffer-survived',
      service: node('max-buffer-survived', `${exec('{}', '')}; setTimeout(() => null.later, 3000)`),
      cause: 'exception',
      words: /later/,
    },
    {
      name: 'exec-timeout',
      service: node(
        'exec-timeout',
        `require("child_process").execFile(process.execPath, [${JSON.stringify(waits)}], { timeout: 500 }, (error) => process.exit(1))`,
      ),
      cause: 'exec-timeout',
    },
  ];
  const asked: Case[] = [
    {
      name: 'stop',
      service: node('stop', WAIT),
      cause: 'asked',
      words: /\(stop\)/,
      act: ({ rig, name }) => rig.request({ kind: 'stop', services: [name] }),
    },
    {
      name: 'restart',
      service: node('restart', WAIT),
      cause: 'asked',
      words: /\(restart\)/,
      act: ({ rig, name }) => rig.request({ kind: 'restart', services: [name] }),
    },
    {
      name: 'cli-signal',
      service: node('cli-signal', WAIT),
      cause: 'asked',
      words: /\(signal\)/,
      act: ({ rig, name }) => rig.cli('signal', name, 'SIGKILL'),
    },
    {
      name: 'cli-signal-answered',
      service: node('cli-signal-answered', `process.on("SIGTERM", () => process.exit(0)); ${WAIT}`),
      cause: 'asked',
      words: /\(signal\)/,
      act: ({ rig, name }) => rig.cli('signal', name, 'SIGTERM'),
    },
    {
      name: 'stop-by-kill',
      service: node('stop-by-kill', `process.on("SIGTERM", () => undefined); ${WAIT}`, {
        stop: { grace: '500ms' },
      }),
      cause: 'asked',
      words: /was killed/,
      act: ({ rig, name }) => rig.request({ kind: 'stop', services: [name] }),
    },
    {
      name: 'not-ready',
      service: node('not-ready', WAIT, { ready: { log: 'never', timeout: '800ms' } }),
      cause: 'not-ready',
    },
    {
      name: 'unhealthy',
      service: node('unhealthy', WAIT, { health: { command: 'false', interval: '200ms', failures: 2 } }),
      cause: 'unhealthy',
    },
    {
      name: 'memory-limit',
      service: node(
        'memory-limit',
        `const kept = Buffer.alloc(200e6, 1); ${WAIT} setInterval(() => kept.length, 1e6)`,
        { limits: { memory: '150MB' } },
      ),
      cause: 'memory-limit',
    },
  ];
  const groups: Case[] =
    group === null
      ? []
      : [
          {
            name: 'group-memory',
            service: shell(
              `echo $$ > ${group}; exec ${process.execPath} -e 'const a = []; setInterval(() => a.push(Buffer.alloc(5e6, 1)), 5)'`,
            ),
            cause: 'cgroup-oom',
            partly: ['signal'],
          },
        ];
  return [...own, ...missing, ...signals, ...buffers, ...asked, ...groups];
}

/** Whether a verdict says something that is not so. */
export function isRightSender(by: Verdict['by'], sender: Sender | undefined, pid: number | null): boolean {
  if (by === null) return true; // nothing is said
  switch (sender) {
    case 'proof':
      return by.pid === process.pid && by.place === 'outside';
    case 'kill':
      return by.name === 'kill' && (by.place === 'unknown' || by.place === 'outside');
    case 'main':
      return by.pid === pid;
    case 'tree':
      return by.place === 'tree' || by.place === 'unknown';
    case 'kernel':
    case undefined:
      return false;
  }
}

export async function holdPort(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { port: (server.address() as { port: number }).port, close: () => void server.close() };
}

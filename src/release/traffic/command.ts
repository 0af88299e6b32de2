/** Commands of the user's own that take a service out of its traffic and let it in: for whatever is no HAProxy. */
import { spawn } from 'node:child_process';
import { UpkeepError, type HookSpec, type TrafficSpec } from '../../protocol/index.js';
import { killGroup, whyUnrunnable } from '../../system/index.js';
import { formatDuration } from '../../util/index.js';
import { maskWith, secretsIn } from '../command/mask.js';
import type { Traffic, TrafficOptions, TrafficLook } from './traffic.js';

type CommandSpec = Extract<TrafficSpec, { type: 'command' }>;

/** Of the last line that it printed. */
const MAX_LINE = 200;
const KEPT_BYTES = 4096;
/** Of its output, after it has ended: who it has left behind may hold the pipe open. */
const REST_MS = 200;

export class CommandTraffic implements Traffic {
  readonly #spec: CommandSpec;
  readonly #options: TrafficOptions;

  constructor(spec: CommandSpec, options: TrafficOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  async out(service: string, signal: AbortSignal): Promise<void> {
    await this.#run(service, this.#spec.out, { UPKEEP_TRAFFIC: 'out', UPKEEP_TRAFFIC_SHARE: '0' }, signal);
  }

  async in(service: string, share: number, signal: AbortSignal): Promise<void> {
    await this.#run(
      service,
      this.#spec.in,
      { UPKEEP_TRAFFIC: 'in', UPKEEP_TRAFFIC_SHARE: String(share) },
      signal,
    );
  }

  /** Only whether there is something to run. */
  look(service: string): Promise<TrafficLook> {
    for (const [way, hook] of [
      ['out', this.#spec.out],
      ['in', this.#spec.in],
    ] as const) {
      const [program = ''] = hook.run;
      const unrunnable = whyUnrunnable(program, hook.cwd ?? process.cwd(), process.env['PATH']);
      if (!unrunnable) continue;
      const message = `Cannot switch the traffic of "${service}": ${unrunnable.fact}`;
      const hint = unrunnable.hint ?? `correct traffic.command.${way}`;
      return Promise.reject(new UpkeepError('release-refused', message, { hint }));
    }
    return Promise.resolve({ isOut: null, out: null, last: null, places: [] });
  }

  leave(): void {
    this.close();
  }

  owes(): boolean {
    return false;
  }

  close(): void {
    // nothing goes on after a command has ended
  }

  async #run(service: string, hook: HookSpec, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { group, secrets } = this.#options;
    const end = await run(hook, { ...env, UPKEEP_SERVICE: service, UPKEEP_GROUP: group }, signal);
    signal.throwIfAborted();
    if (end.fact === undefined) return;
    const [verb, after] = env['UPKEEP_TRAFFIC'] === 'out' ? ['take', ' out of traffic'] : ['let', ' in'];
    // It was told all that the daemon knows.
    const mask = maskWith((await secrets?.()) ?? secretsIn(process.env));
    const last = end.lastLine === undefined ? '' : `: ${mask(end.lastLine).slice(0, MAX_LINE)}`;
    const message = `Cannot ${verb} "${service}"${after}: ${hook.run[0]} ${end.fact}${last}`;
    throw new UpkeepError('release-failed', message, {
      hint: `run it by hand: UPKEEP_SERVICE=${service} UPKEEP_TRAFFIC=${env['UPKEEP_TRAFFIC']} ${hook.run[0]} …`,
    });
  }
}

interface End {
  /** What is wrong about it; undefined: nothing. */
  readonly fact: string | undefined;
  readonly lastLine: string | undefined;
}

function run(
  { run: argv, timeoutMs, cwd }: HookSpec,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<End> {
  return new Promise((resolve) => {
    const [program, ...args] = argv as [string, ...string[]];
    // A group of its own: what it has started ends with it.
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    const keep = (part: Buffer): void => void (output = `${output}${part.toString()}`.slice(-KEPT_BYTES));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let isOver = false;
    const end = (fact: string | undefined): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ fact, lastLine: lastLine(output) });
    };
    const kill = (fact: string): void => {
      killGroup(child.pid);
      end(fact);
    };
    const stop = (): void => kill('was given up');
    const timer = setTimeout(() => kill(`has not ended within ${formatDuration(timeoutMs)}`), timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    child.on('error', (error) => end(error.message));
    child.on('exit', (code, ending) => {
      const fact = code === 0 ? undefined : `ended with ${ending ?? `exit code ${String(code)}`}`;
      child.on('close', () => end(fact));
      setTimeout(() => end(fact), REST_MS).unref();
    });
  });
}

function lastLine(output: string): string | undefined {
  return output.trimEnd().split('\n').at(-1)?.trim() || undefined;
}

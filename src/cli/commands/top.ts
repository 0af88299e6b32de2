import { spawn } from 'node:child_process';
import { connectIfUsed, connectOnly, homeFrom, isUnusedHome, type Client } from '../../client/index.js';
import type { SamplesView, ServiceView } from '../../protocol/index.js';
import { defineCommand } from '../command.js';
import { print } from '../output/print.js';
import { terminalWidth } from '../output/table.js';
import { formatTop } from '../output/top.js';
import { Screen, type Key } from '../screen.js';

const EVERY_MS = 2000;

export const command = defineCommand({
  summary: 'Show what services do at this moment: processor, memory, requests, errors, latency',
  usage: 'top [service...]',
  options: {},
  operands: 'services',
  async run({ operands }) {
    if (process.stdout.isTTY && process.stdin.isTTY) return new Top(operands).run();
    const [services, samples] = await look(connectIfUsed(homeFrom(process.env)), operands);
    const width = terminalWidth() ?? Infinity;
    print(formatTop({ services, samples, width, height: Infinity, now: new Date() }).join('\n'));
    return 0;
  },
});

async function look(client: Client, names: readonly string[]): Promise<[ServiceView[], SamplesView[]]> {
  try {
    const [services, samples] = await Promise.all([client.call('services'), client.call('samples')]);
    return [services.filter(({ name }) => names.length === 0 || names.includes(name)), samples];
  } catch (error) {
    if (isUnusedHome(error)) return [[], []];
    throw error;
  }
}

class Top {
  readonly #names: readonly string[];
  readonly #screen = new Screen(
    (key) => this.#onKey(key),
    () => this.#quit(),
  );
  #services: ServiceView[] = [];
  #samples: SamplesView[] = [];
  #chosen: string | undefined;
  #message = '';
  /** Why nothing is known of this moment; empty: it is. */
  #failure = '';
  /** Another command has the terminal. */
  #isAway = false;
  #quit: () => void = () => undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  async run(): Promise<number> {
    const over = new Promise<void>((resolve) => (this.#quit = resolve));
    [this.#services, this.#samples] = await look(connectIfUsed(homeFrom(process.env)), this.#names);
    const draw = (): void => this.#draw();
    this.#screen.enter();
    process.stdout.on('resize', draw);
    const timer = setInterval(() => void this.#refresh(), EVERY_MS);
    draw();
    await over;
    clearInterval(timer);
    process.stdout.off('resize', draw);
    this.#screen.leave();
    return 0;
  }

  async #refresh(): Promise<void> {
    try {
      // One that was stopped while somebody looks stays stopped.
      [this.#services, this.#samples] = await look(connectOnly(homeFrom(process.env)), this.#names);
      this.#failure = '';
    } catch (error) {
      this.#failure = (error as Error).message; // the next daemon may answer
    }
    this.#draw();
  }

  get #selected(): number {
    return Math.max(
      0,
      this.#services.findIndex(({ name }) => name === this.#chosen),
    );
  }

  #draw(): void {
    if (this.#isAway) return;
    const { width, height } = this.#screen;
    const message = this.#failure || this.#message;
    const scene = { services: this.#services, samples: this.#samples, message };
    this.#screen.draw(formatTop({ ...scene, selected: this.#selected, width, height, now: new Date() }));
  }

  #onKey(key: Key): void {
    const name = this.#services[this.#selected]?.name;
    if (key === 'quit' || key === 'q') return this.#quit();
    if (name === undefined) return;
    if (key === 'up' || key === 'k') this.#choose(-1);
    else if (key === 'down' || key === 'j') this.#choose(1);
    else if (key === 'r') this.#restart(name);
    else if (key === 'l') void this.#show(['logs', name, '--follow']);
    else if (key === 'w') void this.#show(['why', name]);
    this.#draw();
  }

  #choose(step: number): void {
    const last = this.#services.length - 1;
    this.#chosen = this.#services[Math.max(0, Math.min(last, this.#selected + step))]?.name;
  }

  #restart(name: string): void {
    this.#message = `restarting ${name} …`;
    const child = spawn(process.execPath, [process.argv[1]!, 'restart', name], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const words = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].on('data', (chunk: Buffer) => (words[stream] += chunk.toString()));
    child.on('close', (code) => {
      this.#message = (code === 0 ? words.stdout : words.stderr).trim().split('\n')[0]!;
      void this.#refresh();
    });
  }

  /** Another command has the terminal until it ends, by ctrl-C for example; a key brings this one back. */
  async #show(args: readonly string[]): Promise<void> {
    this.#isAway = true;
    this.#screen.leave();
    const ignore = (): void => undefined; // ctrl-C is meant for the other one
    process.on('SIGINT', ignore);
    const child = spawn(process.execPath, [process.argv[1]!, ...args], { stdio: 'inherit' });
    await new Promise((resolve) => child.on('close', resolve));
    print('\npress a key to go back');
    await anyKey();
    process.off('SIGINT', ignore);
    this.#isAway = false;
    this.#screen.enter();
    await this.#refresh();
  }
}

function anyKey(): Promise<void> {
  const { stdin } = process;
  stdin.setRawMode(true).resume();
  return new Promise((resolve) =>
    stdin.once('data', () => {
      stdin.setRawMode(false).pause();
      resolve();
    }),
  );
}

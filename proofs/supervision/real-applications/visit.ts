/** One visit to a service: a restart, the death of one of its processes, a stop and a start; each with its checks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../../src/system/index.js';
import { isListening } from '../../../test/rig/visit.js';
import type { Application } from './applications.js';
import { createFigures, type Figures } from './figures.js';
import type { Site } from './site.js';
import { describe, flawOf, readTree, survivors, type Member, type Tree } from './tree.js';

const WHOLE_MS = 60_000;
/** The shim leaves after it was told that the last output has been read. */
const SHIM_MS = 2000;
const POLL_MS = 50;

export class Visitor {
  readonly figures: Figures;
  readonly #site: Site;
  readonly #application: Application;
  /** Of the last visit: nobody but the proof may restart anything. */
  #attempt: number | undefined;

  constructor(site: Site, application: Application) {
    this.#site = site;
    this.#application = application;
    this.figures = createFigures(application.service);
  }

  /** After the first start. */
  async arrive(): Promise<void> {
    await this.#whole(() => undefined);
    const tree = this.#tree();
    this.figures.processes = tree.members.length;
    this.#attempt = attemptOf(tree);
  }

  async visit(): Promise<void> {
    this.#expectSameAttempt();
    for (const step of [() => this.#restart(), () => this.#kill(), () => this.#stopAndStart()]) {
      try {
        await step();
      } catch (error) {
        this.#fail((error as Error).message);
      }
    }
    this.#attempt = attemptOf(this.#tree());
  }

  async #restart(): Promise<void> {
    const before = this.#tree();
    const askedAt = performance.now();
    await this.#upkeep('restart');
    await this.#whole(() => wordSurvivors(survivors(before)));
    this.figures.answers.push(performance.now() - askedAt);
    this.figures.restarts++;
  }

  /** Takes turns through the roles. What the application repairs by itself is as good as a restart. */
  async #kill(): Promise<void> {
    const before = this.#tree();
    const victim = this.#victim(before);
    const killedAt = performance.now();
    process.kill(victim.pid, 'SIGKILL');
    await this.#whole((tree) => {
      if (isAlive(victim)) return `${describe(victim)} lives after SIGKILL`;
      const isRestarted = attemptOf(tree) !== victim.attempt;
      return isRestarted ? wordSurvivors(survivors(before)) : undefined;
    });
    this.figures.answers.push(performance.now() - killedAt);
    this.figures.kills++;
  }

  #victim({ members }: Tree): Member {
    const roles = this.#application.roles.filter(({ count }) => count !== 'any');
    const role = roles[this.figures.kills % roles.length]!.name;
    const candidates = members.filter((member) => member.role === role);
    const victim = candidates[Math.floor(Math.random() * candidates.length)];
    if (!victim) throw new Error(`there is no process "${role}" to kill`);
    return victim;
  }

  async #stopAndStart(): Promise<void> {
    const before = this.#tree();
    const askedAt = performance.now();
    await this.#upkeep('stop');
    this.figures.stops.push(performance.now() - askedAt);
    await this.#expectNothing(before);
    const startedAt = performance.now();
    await this.#upkeep('start');
    await this.#whole(() => undefined);
    this.figures.answers.push(performance.now() - startedAt);
  }

  /** Whoever says "stopped" must mean it: there is no time of grace for the processes of the application. */
  async #expectNothing(before: Tree): Promise<void> {
    const { members } = this.#tree();
    const left = [...members, ...survivors(before).filter(({ pid }) => !members.some((m) => m.pid === pid))];
    this.figures.leftovers += left.length;
    for (const member of left) this.#fail(`left after stop: ${describe(member)}`);
    const { port } = this.#application;
    if (port !== null && (await isListening(port))) this.#fail(`port ${port} is open after stop`);
    const isGone = await within(SHIM_MS, () => this.#tree().shims.length === 0);
    if (isGone) return;
    this.figures.leftovers++;
    this.#fail(`the shim lives ${SHIM_MS} ms after stop`);
  }

  /** Waits until it answers, its tree is whole, and nothing else is wrong. */
  async #whole(otherFlaw: (tree: Tree) => string | undefined): Promise<void> {
    let flaw: string | undefined = 'never looked at';
    const isWhole = await within(WHOLE_MS, async () => {
      const doesAnswer = await this.#application.answers();
      const tree = this.#tree();
      flaw = flawOf(tree, this.#application) ?? otherFlaw(tree) ?? (doesAnswer ? undefined : 'no answer');
      return flaw === undefined;
    });
    if (!isWhole) throw new Error(`not whole after ${WHOLE_MS} ms: ${flaw}`);
  }

  #expectSameAttempt(): void {
    const attempt = attemptOf(this.#tree());
    if (attempt === this.#attempt) return;
    this.#fail(`attempt ${attempt} instead of ${this.#attempt}, though nobody touched it`);
  }

  #tree(): Tree {
    return readTree(this.#site.home, this.#application);
  }

  async #upkeep(command: string): Promise<void> {
    await this.#site.upkeep(command, this.#application.service);
  }

  #fail(message: string): void {
    this.figures.failures.push(`${new Date().toISOString()} ${this.#application.service}: ${message}`);
  }
}

function attemptOf({ members }: Tree): number | undefined {
  return members[0]?.attempt;
}

function wordSurvivors(members: readonly Member[]): string | undefined {
  return members.length === 0 ? undefined : `of the attempt before: ${members.map(describe).join('; ')}`;
}

export async function within(ms: number, isDone: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!(await isDone())) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Releases an application forwards and takes it back, under load, and says of each step what came of it. */
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ReleaseView } from '../../../src/protocol/index.js';
import type { Rig } from '../../../test/rig/index.js';
import { Load, total } from '../../port/load/index.js';
import { difference, RateLoad, type RateReport } from '../support/rate-load.js';
import type { Application } from './application.js';

export interface Step {
  /** Index of the version that is to serve afterwards. */
  readonly to: 0 | 1 | 2;
  /** `back` names no version: to the one that served before. */
  readonly how: 'release' | 'back' | 'back to';
}

/** Forwards by one version each, back by one each, and forwards by two. */
export const ALL_STEPS: readonly Step[] = [
  { to: 1, how: 'release' },
  { to: 2, how: 'release' },
  { to: 1, how: 'back' },
  { to: 0, how: 'back to' },
  { to: 2, how: 'release' },
];

export const SHORT_STEPS: readonly Step[] = [
  { to: 1, how: 'release' },
  { to: 0, how: 'back' },
];

export interface StepOutcome {
  readonly application: string;
  readonly step: string;
  /** Empty: nothing has served yet. */
  readonly from: string;
  readonly to: string;
  /** From the command to its end. */
  readonly ms: number;
  readonly asked: number;
  readonly failed: number;
  /** Answers of the version before, and of the one that was wanted, until the command had ended. */
  readonly byOld: number;
  readonly byNew: number;
  readonly problems: readonly string[];
}

export interface CampaignOutcome {
  readonly steps: readonly StepOutcome[];
  readonly asked: number;
  readonly failed: number;
  /** Of those, connections that were refused. */
  readonly refused: number;
  readonly failures: readonly string[];
}

interface LoadsSeen {
  readonly steady: RateReport;
  readonly asked: number;
  readonly failed: number;
}

const NO_REQUESTS = { asked: 0, failed: 0, byOld: 0, byNew: 0 } as const;
const NOTHING_ASKED = { asked: 0, failed: 0, refused: 0, failures: [] } as const;

/** What answers of one kind say of who served them is believed only from so many on. */
const JUDGED_ANSWERS = 100;

export class Campaign {
  readonly #rig: Rig;
  readonly #application: Application;
  readonly #perSecond: number;

  constructor(rig: Rig, application: Application, perSecond: number) {
    this.#rig = rig;
    this.#application = application;
    this.#perSecond = perSecond;
  }

  async run(steps: readonly Step[]): Promise<CampaignOutcome> {
    const { port, paths, place, clients, furnish, versions } = this.#application;
    const first = await this.#begin(versions[0]);
    if (first.problems.length > 0) return { ...NOTHING_ASKED, steps: [first] };
    await furnish?.();
    await using steady = await RateLoad.start({
      port,
      perSecond: this.#perSecond,
      path: paths,
      version: place,
    });
    await using checked = clients.length === 0 ? null : await Load.start({ port, clients });
    await steady.untilAnswered(this.#perSecond);
    const outcomes = [first];
    let from: string = versions[0];
    for (const step of steps) {
      outcomes.push(await this.#take(step, from, steady, checked));
      from = versions[step.to];
    }
    return { steps: outcomes, ...(await end(steady, checked)) };
  }

  /** Nothing serves yet, so nothing is asked for. */
  async #begin(to: string): Promise<StepOutcome> {
    const { name } = this.#application;
    const startedAt = performance.now();
    const command = await this.#rig.cli('release', name, '--version', to, '--json');
    const ms = performance.now() - startedAt;
    const problems = await this.#judgeEnd(command, to);
    return tell({ application: name, step: 'release', from: '', to, ms, ...NO_REQUESTS, problems });
  }

  async #take(step: Step, from: string, steady: RateLoad, checked: Load | null): Promise<StepOutcome> {
    const { name, says, versions } = this.#application;
    const to = versions[step.to];
    const before = look(steady, checked);
    const startedAt = performance.now();
    const command = await this.#rig.cli(...wordsOf(step, name, to), '--json');
    const ms = performance.now() - startedAt;
    const { byVersion } = difference(steady.total, before.steady);
    const problems = [...(await this.#judgeEnd(command, to)), ...(await this.#judgeAnswers(to, steady))];
    const after = look(steady, checked);
    const [asked, failed] = [after.asked - before.asked, after.failed - before.failed];
    if (failed > 0) problems.push(`${failed} of ${asked} requests failed`);
    for (const failure of difference(after.steady, before.steady).failures) console.log(`  ${failure}`);
    const [byOld, byNew] = [byVersion[says(from)] ?? 0, byVersion[says(to)] ?? 0];
    const counts = { asked, failed, byOld, byNew };
    return tell({ application: name, step: step.how, from, to, ms, ...counts, problems });
  }

  /** It succeeded, all instances run what was wanted, and nothing else of the application lives. */
  async #judgeEnd(
    {
      code,
      stdout,
      stderr,
    }: { readonly code: number | null; readonly stdout: string; readonly stderr: string },
    wanted: string,
  ): Promise<string[]> {
    const { name, instances } = this.#application;
    if (code !== 0) return [`exit code ${code}: ${failureOf(stdout) ?? stderr.trim()}`];
    const { status, folder, build } = JSON.parse(stdout) as ReleaseView;
    const running = (await this.#rig.service(name)).instances.filter((each) => each.status === 'running');
    const problems = [
      ...(status === 'succeeded' ? [] : [`it has ${status}`]),
      ...(build?.version === wanted ? [] : [`the build is ${build?.version}`]),
      ...(running.length === instances ? [] : [`${running.length} of ${instances} instances run`]),
    ];
    if (folder === null) return [...problems, 'it has no folder'];
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    if (version !== wanted) problems.push(`version ${version} lies in its folder`);
    const places = running.map(({ pid }) => workingFolder(pid!));
    if (places.some((place) => place !== folder)) problems.push(`instances run in ${places.join(', ')}`);
    const others = this.#rig
      .processes()
      .filter(({ pid }) => isIn(dirname(folder), pid) && !isIn(folder, pid));
    for (const { pid } of others) problems.push(`pid ${pid} lives on in ${workingFolder(pid)}`);
    return problems;
  }

  /** Of those that are asked from now on. */
  async #judgeAnswers(wanted: string, steady: RateLoad): Promise<string[]> {
    await steady.untilAnswered(this.#perSecond); // what is counted last may be older
    const before = steady.total;
    await steady.untilAnswered(JUDGED_ANSWERS);
    const { byVersion } = difference(steady.total, before);
    const says = this.#application.says(wanted);
    const { [says]: right = 0, ...others } = byVersion;
    const problems = Object.entries(others).map(([version, count]) => `${count} answers by "${version}"`);
    return right === 0 ? [`no answers by "${says}"`, ...problems] : problems;
  }
}

/** As it happens: all of them take long. */
function tell(outcome: StepOutcome): StepOutcome {
  const { application, step, from, to, ms, asked, failed, problems } = outcome;
  const words = problems.length === 0 ? 'as it should' : problems.join('; ');
  console.log(
    `${application}: ${step} ${from} > ${to}, ${(ms / 1000).toFixed(1)} s, ${asked} requests, ${failed} failed: ${words}`,
  );
  return outcome;
}

function wordsOf({ how }: Step, group: string, version: string): string[] {
  switch (how) {
    case 'release':
      return ['release', group, '--version', version];
    case 'back':
      return ['rollback', group];
    case 'back to':
      return ['rollback', group, '--to', version];
  }
}

function look({ total: steady }: RateLoad, checked: Load | null): LoadsSeen {
  const { started, failed } = total(checked?.counters ?? {});
  return { steady, asked: steady.asked + started, failed: steady.failed + failed };
}

async function end(steady: RateLoad, checked: Load | null): Promise<Omit<CampaignOutcome, 'steps'>> {
  const report = await checked?.stop();
  const { asked, failed, refused, failures } = await steady.stop();
  const { started, failed: failedChecks } = total(report?.clients ?? {});
  const others = report?.failures ?? [];
  return {
    asked: asked + started,
    failed: failed + failedChecks,
    refused: refused + others.filter((each) => each.class === 'refused').length,
    failures: [...failures, ...others.map((each) => `${each.client}: ${each.class} (${each.detail})`)],
  };
}

/** In one line. */
function failureOf(stdout: string): string | undefined {
  try {
    const { failure, checks } = JSON.parse(stdout) as ReleaseView;
    const failed = checks.filter(({ verdict }) => verdict === 'failed').map(({ text }) => text);
    return [failure?.message, failure?.hint, ...failed].filter(Boolean).join('; ');
  } catch {
    return undefined; // it was refused before there was a release
  }
}

function isIn(folder: string, pid: number): boolean {
  const place = workingFolder(pid);
  return place === folder || (place?.startsWith(`${folder}/`) ?? false);
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // it has ended
  }
}

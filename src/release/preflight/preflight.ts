/**
 * The last stage before anything runs: decides whether this release fits this host, by what its services will really get. It only
 * looks. Everything that it finds is a check; where one failed and is not waived, the release is refused.
 *
 * No value of the configuration is in any text: only names, places and what is demanded.
 */
import { UpkeepError, type ReleaseCheck } from '../../protocol/index.js';
import type { Stage, StageJob } from '../job.js';
import { parseExample } from './contract/env-example.js';
import { judgeContract } from './contract/judge-contract.js';
import { gatherFacts, type Facts } from './facts/facts.js';
import { compareKeys } from './facts/running.js';
import { toChecks, type Finding } from './finding.js';
import { judgeHost } from './host/judge-host.js';
import { judgePolicy, toPolicyFacts } from './policy/judge-policy.js';
import { readTextOf } from './read-text.js';
import { judgeRequirements } from './requires.js';
import { count } from './words.js';

export const preflight: Stage = async (job, context) => {
  const { folder, spec } = job;
  if (folder === null) throw new Error(`release ${job.id} has no folder to look at`);
  context.say('reading what this host will give to the services');
  const facts = await gatherFacts(job, folder);
  context.say('checking configuration, policy and host');
  const { signal } = context;
  const policy = toPolicyFacts(facts, readExamples(facts));
  const [contract, host] = await Promise.all([
    spec.contract ? judgeContract(spec.contract, facts, signal) : Promise.resolve([]),
    judgeHost(facts, signal),
  ]);
  context.say('asking what it needs whether it answers');
  // Afterwards: their time is short, and should not be spent on what else is done here.
  const requires = await judgeRequirements(facts, signal);
  const found = [
    ...facts.findings,
    ...contract,
    ...(policy ? judgePolicy(policy) : []),
    ...host,
    ...requires,
  ];
  const checks = toChecks(found, [...(spec.policy?.waivers ?? []), ...job.waive], today());
  const result = { checks, keys: compareKeys(facts) };
  context.note(result);
  refuseWhereFailed(job, checks);
  return { ...result, text: wordOutcome(checks) };
};

/** `2026-11-29`, where this host is. */
function today(): string {
  const now = new Date();
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function readExamples({ job, folder }: Facts): ReadonlyMap<string, string> {
  const files = job.spec.contract?.env ?? ['.env.example'];
  return new Map(
    files.flatMap((file) =>
      parseExample(readTextOf(folder, file) ?? '').flatMap(({ key, example }): [string, string][] =>
        example === null ? [] : [[key, example]],
      ),
    ),
  );
}

const TOLD = 3;

function refuseWhereFailed({ spec, build }: StageJob, checks: readonly ReleaseCheck[]): void {
  const failed = checks.filter(({ verdict }) => verdict === 'failed');
  if (failed.length === 0) return;
  const version = build?.version ? ` ${build.version}` : '';
  const texts = failed.slice(0, TOLD).map(({ text }) => text);
  const more = failed.length > TOLD ? [`and ${failed.length - TOLD} more`] : [];
  const message = `Cannot release "${spec.name}"${version}: ${[...texts, ...more].join('; ')}`;
  throw new UpkeepError('release-refused', message, {
    hint: failed[0]!.hint,
    details: { failed: failed.length },
  });
}

const VERDICTS: readonly Finding['verdict'][] = ['passed', 'warned', 'unknown'];

function wordOutcome(checks: readonly ReleaseCheck[]): string {
  const parts = [...VERDICTS, 'waived' as const].flatMap((verdict) => {
    const number = checks.filter((check) => check.verdict === verdict).length;
    return number === 0 ? [] : [`${number} ${verdict}`];
  });
  return `${count(checks.length, 'check')}: ${parts.join(', ')}`;
}

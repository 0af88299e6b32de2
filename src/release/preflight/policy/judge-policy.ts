/** Goes through the rules of a policy: which of them are looked at, and what it means where one is broken. */
import { POLICY_RULES, type PolicyRule } from '../../../protocol/index.js';
import type { Facts } from '../facts/facts.js';
import { isRecord, leavesOf } from '../facts/config-file.js';
import type { Finding } from '../finding.js';
import { BUILD_RULES } from './build-rules.js';
import type { PolicyFacts, Rule, Setting } from './policy-facts.js';
import { VALUE_RULES } from './value-rules.js';

const RULES: Readonly<Record<PolicyRule, Rule>> = { ...BUILD_RULES, ...VALUE_RULES };

/** They keep a wrong build from coming by mistake; who goes back means this one. */
const NOT_FOR_ROLLBACKS: ReadonlySet<PolicyRule> = new Set(['downgrade', 'version-tag', 'test-build']);

/** What it means that nothing was found. */
const FINE: Readonly<Record<PolicyRule, string>> = {
  'test-build': 'the build is not one for another target',
  commit: 'the build is of no other commit',
  'dirty-build': 'the build is of what was committed',
  'version-tag': 'the versions agree',
  downgrade: 'the version is not lower than the one that runs',
  'node-env': 'NODE_ENV is what the target needs',
  'debug-logging': 'no debug logging is on',
  'debug-port': 'no debug port is opened',
  'example-value': 'no value is one of an example',
  localhost: 'no value leads to this machine itself',
  'test-host': 'no value leads to a test host',
};

export function judgePolicy(facts: PolicyFacts): Finding[] {
  const { policy, build, isRollback } = facts;
  const rules = POLICY_RULES.filter((rule) => !(isRollback && NOT_FOR_ROLLBACKS.has(rule)));
  const found = rules.flatMap((rule): Finding[] => {
    const action = policy.rules[rule] ?? 'refuse';
    if (action === 'ignore') return [];
    const offences = RULES[rule](facts);
    if (offences.length === 0) return [{ area: 'policy', rule, verdict: 'passed', text: FINE[rule] }];
    const verdict = action === 'refuse' ? 'failed' : 'warned';
    return offences.map((offence) => ({ area: 'policy', rule, verdict, ...offence }));
  });
  if (build.manifest || policy.rules['test-build'] === 'ignore') return found;
  const text = 'the build has no upkeep.build.json: for which target it was built is not known';
  const hint = 'let the build write {"commit", "version", "environment", "dirty"} into it';
  const unknown: Finding = { area: 'policy', rule: 'test-build', verdict: 'unknown', text, hint };
  return found.map((finding) => (finding.rule === 'test-build' ? unknown : finding));
}

/** `examples`: of the example files of the release. */
export function toPolicyFacts(facts: Facts, examples: ReadonlyMap<string, string>): PolicyFacts | null {
  const { job, host, services, files, build } = facts;
  const { policy } = job.spec;
  if (!policy) return null;
  const settings = services.flatMap(({ spec, environment }) =>
    [...environment]
      .filter(([, { source }]) => source !== 'shell')
      .flatMap(([key, { value, source }]) => {
        const setting = { key, value, place: spec.name, source, example: examples.get(key) ?? null };
        return [setting, ...settingsWithin(setting)];
      }),
  );
  const inFiles = files.flatMap(({ path, content }) =>
    leavesOf(content ?? {}).map(({ key, value }) => ({
      key,
      value: String(value),
      place: path,
      source: path,
      example: null,
    })),
  );
  return {
    policy,
    isRollback: job.kind === 'rollback',
    host,
    target: job.target,
    build: { ...build, commit: job.build?.commit ?? null, version: job.build?.version ?? null },
    previous: job.previous,
    services: services.map(({ spec, environment, node }) => ({
      name: spec.name,
      argv: spec.argv,
      isNode: node !== undefined,
      env: new Map([...environment].map(([key, { value }]) => [key, value])),
    })),
    settings: [...settings, ...inFiles],
  };
}

/** A variable whose value is JSON, such as NODE_CONFIG. */
function settingsWithin(setting: Setting): Setting[] {
  if (!setting.value.startsWith('{')) return [];
  try {
    const content: unknown = JSON.parse(setting.value);
    if (!isRecord(content)) return [];
    return leavesOf(content, setting.key).map(({ key, value }) => ({
      ...setting,
      key,
      value: String(value),
    }));
  } catch {
    return []; // it only begins like that
  }
}

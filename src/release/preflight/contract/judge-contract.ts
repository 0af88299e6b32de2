/**
 * Decides whether the values of this host fit the contract of the release: missing, empty, wrong, unknown, and new since the
 * release that runs.
 */
import type { ContractSpec } from '../../../protocol/index.js';
import { isBaseVariable } from '../../../core/index.js';
import { mostSimilar } from '../../../util/index.js';
import type { Facts, ServiceFacts } from '../facts/facts.js';
import type { Finding } from '../finding.js';
import { count, listWords } from '../words.js';
import { openContracts, type Contract } from './contracts.js';
import { ContractFault, type Violation } from './violation.js';

interface Judged {
  readonly service: ServiceFacts;
  readonly contract: Contract;
  readonly keys: ReadonlySet<string> | null;
  readonly violations: readonly Violation[];
}

export async function judgeContract(
  spec: ContractSpec,
  facts: Facts,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { folder, job } = facts;
  const { judged, faults } = await judgeAll(spec, facts, folder, signal);
  if (judged.length === 0) return faults;
  // Only which keys it knows is asked of it, so one service is enough.
  const first = { ...facts, services: facts.services.slice(0, 1) };
  const before = job.previous ? await judgeAll(spec, first, job.previous.folder, signal) : { judged: [] };
  const known = knownKeys(before.judged);
  const problems = groupProblems(judged).map((problem) => wordProblem(problem, facts, known));
  const unknown = spec.unknown === 'ignore' ? [] : findUnknown(spec, judged, facts);
  const told = [...problems.filter(({ rule }) => rule !== 'unknown-key'), ...unknown];
  const files = listWords([...new Set(judged.map(({ contract }) => contract.file))]);
  const all = [...faults, ...told, ...tellNew(judged, known, facts)];
  if (all.some(({ verdict }) => verdict === 'failed')) return all;
  const keys = new Set(judged.flatMap((each) => [...(each.keys ?? [])]));
  const text = `${count(keys.size, 'key')} of ${files} fit the values of host "${facts.host}"`;
  return [{ area: 'contract', rule: 'contract', verdict: 'passed', text }, ...all];
}

async function judgeAll(
  spec: ContractSpec,
  { services, files, host }: Facts,
  folder: string,
  signal: AbortSignal,
): Promise<{ judged: Judged[]; faults: Finding[] }> {
  const values = Object.assign({}, ...files.map(({ content }) => content)) as Record<string, unknown>;
  const judged: Judged[] = [];
  const faults: Finding[] = [];
  const fault = (file: string, { message, hint }: ContractFault): void => {
    const text = `the contract ${file} ${message}, on host "${host}"`;
    if (!faults.some((each) => each.text === text))
      faults.push({ area: 'contract', rule: 'contract', verdict: 'failed', text, hint });
  };
  for (const { file, contract } of await openContracts(spec, folder, signal)) {
    if (contract instanceof ContractFault) fault(file, contract);
    else {
      for (const service of services) {
        try {
          judged.push({ service, contract, ...(await contract.judge(service, values)) });
        } catch (error) {
          if (!(error instanceof ContractFault)) throw error;
          fault(file, error);
        }
      }
    }
  }
  return { judged, faults };
}

interface Problem extends Violation {
  readonly services: string[];
  readonly contracts: string[];
}

/** What several contracts say of a key, and of several services, is one thing to do. */
function groupProblems(judged: readonly Judged[]): Problem[] {
  const problems = new Map<string, Problem>();
  for (const { service, contract, violations } of judged) {
    for (const violation of violations) {
      const id = `${violation.key} ${violation.problem}`;
      const problem = problems.get(id) ?? { ...violation, services: [], contracts: [] };
      problems.set(id, problem);
      if (!problem.services.includes(service.spec.name)) problem.services.push(service.spec.name);
      if (!problem.contracts.includes(contract.file)) problem.contracts.push(contract.file);
    }
  }
  return [...problems.values()];
}

const PROBLEM_RULES = {
  missing: 'missing-key',
  empty: 'empty-key',
  wrong: 'wrong-type',
  unknown: 'unknown-key',
} as const;

function wordProblem(problem: Problem, facts: Facts, known: ReadonlySet<string> | null): Finding {
  const { key, words, services, contracts } = problem;
  const { job, host } = facts;
  const isNew = problem.problem === 'missing' && known !== null && !known.has(key.split('.')[0]!);
  const where = `${placeOf(key, services, facts)} on host "${host}" (${listWords(contracts)})`;
  const name = key === '' ? 'the configuration' : key;
  const since = job.previous?.version ?? job.previous?.id ?? '';
  return {
    area: 'contract',
    rule: isNew ? 'new-key' : PROBLEM_RULES[problem.problem],
    subject: key,
    verdict: 'failed',
    text: isNew
      ? `${name} is new since release ${since} and has no value ${where}`
      : `${name} ${words} ${where}`,
    hint: hintFor(key, services, facts),
  };
}

/** `in config/prod.json` where it stands in a file, or would; else `for api and worker`. */
function placeOf(key: string, services: readonly string[], { files }: Facts): string {
  const file = files.find(({ content }) => content && key.split('.')[0]! in content);
  return file ? `in ${file.path}` : `for ${listWords(services)}`;
}

/** Where the value is set: the file that the service reads, or its configuration. */
function hintFor(key: string, names: readonly string[], { services, files, folder, job }: Facts): string {
  const service = services.find(({ spec }) => spec.name === names[0]);
  const inFile = files.find(({ content }) => content && key.split('.')[0]! in content);
  if (inFile) return `correct ${key} in ${folder}/${inFile.path}`;
  const source = service?.environment.get(key)?.source;
  if (source !== undefined) return `correct ${key}, which comes from ${source}`;
  const [file] = service?.spec.envFiles ?? [];
  const linked = job.spec.linked.files.find((each) => file === `${folder}/${each}`);
  if (linked !== undefined) return `set ${key} in ${job.spec.folder}/shared/${linked}`;
  if (file !== undefined) return `set ${key} in ${file}`;
  const place = service?.spec.origin.file ?? 'the configuration';
  return `set ${key} under env, envFiles or secrets of ${listWords(names)} in ${place}`;
}

/** null: there was no contract, so nothing is new. */
function knownKeys(before: readonly Judged[]): ReadonlySet<string> | null {
  const told = before.filter(({ keys }) => keys !== null);
  if (told.length === 0) return null;
  return new Set(told.flatMap(({ keys }) => [...keys!]));
}

function tellNew(judged: readonly Judged[], known: ReadonlySet<string> | null, facts: Facts): Finding[] {
  if (!known) return [];
  const { job, host } = facts;
  const since = job.previous?.version ?? job.previous?.id ?? '';
  const missing = new Set(
    judged.flatMap(({ violations }) => violations.map(({ key }) => key.split('.')[0]!)),
  );
  const fresh = [...new Set(judged.flatMap(({ keys }) => [...(keys ?? [])]))].filter(
    (key) => !known.has(key) && !missing.has(key),
  );
  return fresh.map((key) => {
    const isSet =
      facts.services.some(({ environment }) => environment.has(key)) ||
      facts.files.some(({ content }) => content && key in content);
    const state = isSet ? `has a value on host "${host}"` : `is optional, and has no value on host "${host}"`;
    return {
      area: 'contract',
      rule: 'new-key',
      subject: key,
      verdict: 'passed',
      text: `${key} is new since release ${since} and ${state}`,
    };
  });
}

/** Of Node.js and its libraries, which no contract tells. */
const COMMON = /^(?:NODE_|UV_|npm_|OTEL_|HOME$|USER$|LOGNAME$)/;

function findUnknown({ unknown }: ContractSpec, judged: readonly Judged[], facts: Facts): Finding[] {
  const { services, host } = facts;
  const keys = new Set(judged.flatMap((each) => [...(each.keys ?? [])]));
  if (keys.size === 0) return [];
  const contracts = [...new Set(judged.map(({ contract }) => contract.file))];
  const found = new Map<string, string[]>();
  const add = (key: string, place: string): void => {
    const places = found.get(key) ?? [];
    if (!places.includes(place)) found.set(key, [...places, place]);
  };
  for (const { spec, environment } of services) {
    for (const [key, { source }] of environment) {
      const isOwn = source !== 'shell' && !isBaseVariable(key) && !COMMON.test(key);
      if (isOwn && !keys.has(key)) add(key, spec.name);
    }
  }
  for (const { violations, service } of judged) {
    for (const { key, problem } of violations) {
      const isOfShell = isBaseVariable(key) || COMMON.test(key);
      const source = service.environment.get(key)?.source;
      if (problem === 'unknown' && !isOfShell && source !== 'shell') add(key, service.spec.name);
    }
  }
  return [...found].map(([key, names]): Finding => {
    const free = [...keys].filter((each) => services.some(({ environment }) => !environment.has(each)));
    const near = mostSimilar(key, free);
    return {
      area: 'contract',
      rule: 'unknown-key',
      subject: key,
      verdict: unknown === 'refuse' ? 'failed' : 'warned',
      text: `${key} ${placeOf(key, names, facts)} on host "${host}" is not known to ${listWords(contracts)}`,
      hint: near === undefined ? `remove ${key}, or add it to the contract` : `did you mean ${near}?`,
    };
  });
}

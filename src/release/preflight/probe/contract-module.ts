/** Judges the environment by a schema that a module of the release exports, whichever library it is of. */
import { pathToFileURL } from 'node:url';
import { pathOf, unknownKeys, wordIssue, type Issue } from '../contract/issue-words.js';
import type { Violation } from '../contract/violation.js';
import type { ProbeLine, ProbeTask } from './task.js';

type Environment = Readonly<Record<string, string>>;
type Any = Record<string, unknown>;

export async function judgeByModule(task: Extract<ProbeTask, { task: 'contract' }>): Promise<ProbeLine> {
  let loaded: Any;
  try {
    loaded = (await import(pathToFileURL(task.module).href)) as Any;
  } catch (error) {
    return {
      fault: `cannot be loaded: ${kindOf(error)}`,
      hint: 'see that it needs nothing but what is installed',
    };
  }
  const schema = exportOf(loaded, task.export);
  if (typeof schema !== 'object' && typeof schema !== 'function') {
    const hint = 'name it as path#export under contract.module';
    return { fault: `has no export "${task.export}"`, hint };
  }
  try {
    const issues = await issuesOf(schema as Any, task.env);
    if (issues)
      return { contract: { keys: keysOf(schema as Any), violations: toViolations(issues, task.env) } };
    const specs = envalidSpecs(schema as Any);
    if (specs) return { contract: { keys: Object.keys(specs), violations: judgeEnvalid(specs, task.env) } };
  } catch (error) {
    return {
      fault: `has failed: ${kindOf(error)}`,
      hint: 'see that the schema can be used outside of the application',
    };
  }
  const hint = 'export a schema of zod, joi, valibot or Standard Schema, or the specs of envalid';
  return { fault: `"${task.export}" is no schema that is known`, hint };
}

/** The message may quote values. */
function kindOf(error: unknown): string {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return [code, name, 'unknown'].find(
    (word) => typeof word === 'string' && /^\w{1,60}$/.test(word),
  ) as string;
}

/** Of CommonJS, and of what a compiler made of a module, the default export is another object. */
function exportOf(loaded: Any, name: string): unknown {
  const inner = (loaded['default'] ?? {}) as Any;
  if (name !== 'default') return loaded[name] ?? inner[name];
  return inner['__esModule'] === true ? inner['default'] : loaded['default'];
}

type Check = (value: unknown, options?: unknown) => unknown;

/** null: it has none of the methods that are known. */
async function issuesOf(schema: Any, env: Environment): Promise<readonly Issue[] | null> {
  const standard = schema['~standard'] as { vendor?: string; validate: Check } | undefined;
  const isJoi = standard?.vendor === 'joi' || schema['$_root'] !== undefined;
  if (isJoi && typeof schema['validate'] === 'function') {
    const { error } = (schema['validate'] as Check)(env, { abortEarly: false }) as {
      error?: { details: Issue[] };
    };
    return error?.details ?? [];
  }
  if (standard) return ((await standard.validate(env)) as { issues?: Issue[] }).issues ?? [];
  if (typeof schema['safeParseAsync'] !== 'function') return null;
  const result = (await (schema['safeParseAsync'] as Check)(env)) as { error?: { issues: Issue[] } };
  return result.error?.issues ?? [];
}

function toViolations(issues: readonly Issue[], env: Environment): Violation[] {
  return issues.flatMap((issue): Violation[] => {
    const unknown = unknownKeys(issue);
    const key = pathOf(issue.path ?? []);
    if (!unknown) return [violationOf(key, env, wordIssue(issue))];
    return unknown.map((each) => ({ key: each, problem: 'unknown', words: 'is not in the schema' }));
  });
}

function violationOf(key: string, env: Environment, words: string): Violation {
  const isTop = !key.includes('.') && key !== '';
  if (isTop && env[key] === undefined) return { key, problem: 'missing', words: 'is missing' };
  if (env[key] === '') return { key, problem: 'empty', words: 'is empty' };
  return { key, problem: 'wrong', words };
}

/** null: a schema that does not show them. */
function keysOf(schema: Any, depth = 0): string[] | null {
  if (depth > 8) return null;
  if (typeof schema['describe'] === 'function' && schema['$_root'] !== undefined)
    return Object.keys((schema['describe'] as () => { keys?: object })().keys ?? {});
  const own = schema['shape'] ?? schema['entries'];
  if (typeof own === 'object' && own !== null) return Object.keys(own);
  const within = (schema['_def'] ?? {}) as Any;
  const inner = within['schema'] ?? within['innerType'] ?? within['in'];
  if (typeof inner === 'object' && inner !== null) return keysOf(inner as Any, depth + 1);
  // A pipe of valibot begins with the object.
  const [first] = Array.isArray(schema['pipe']) ? (schema['pipe'] as Any[]) : [];
  return first && first !== schema ? keysOf(first, depth + 1) : null;
}

interface EnvalidSpec {
  readonly _parse: (text: string) => unknown;
  readonly choices?: readonly unknown[];
  readonly requiredWhen?: (env: Any) => boolean;
}

function envalidSpecs(schema: Any): Readonly<Record<string, EnvalidSpec>> | null {
  const specs = Object.values(schema) as (Any | null)[];
  const isEnvalid = specs.length > 0 && specs.every((spec) => typeof spec?.['_parse'] === 'function');
  return isEnvalid ? (schema as unknown as Readonly<Record<string, EnvalidSpec>>) : null;
}

/** As its `cleanEnv` does, which reports with values. */
function judgeEnvalid(specs: Readonly<Record<string, EnvalidSpec>>, env: Environment): Violation[] {
  const cleaned: Any = {};
  const violations = Object.entries(specs).flatMap(([key, spec]): Violation[] => {
    const text = env[key];
    if (text === undefined) {
      const word = defaultWords(env).find((each) => each in spec);
      if (word === undefined) return [violationOf(key, env, '')];
      cleaned[key] = (spec as unknown as Any)[word];
      return [];
    }
    try {
      cleaned[key] = spec._parse(text);
    } catch {
      return [violationOf(key, env, 'is not what its validator takes')];
    }
    const isChoice = !spec.choices || spec.choices.includes(cleaned[key]);
    return isChoice ? [] : [violationOf(key, env, 'is none of the allowed values')];
  });
  const demanded = Object.entries(specs).filter(
    ([key, spec]) =>
      cleaned[key] === undefined && env[key] === undefined && spec.requiredWhen?.(cleaned) === true,
  );
  return [...violations, ...demanded.map(([key]) => violationOf(key, env, ''))];
}

function defaultWords({ NODE_ENV }: Environment): string[] {
  const own = NODE_ENV === undefined || NODE_ENV === 'production' ? [] : ['devDefault'];
  return [...(NODE_ENV === 'test' ? ['testDefault'] : []), ...own, 'default'];
}

/** The contracts of a release, as they lie in its folder: what each of them says of the values of one service. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContractSpec } from '../../../protocol/index.js';
import type { ServiceFacts } from '../facts/facts.js';
import { runProbe, whyNoProbe } from '../probe/run-probe.js';
import { parseExample, type ExampleKey } from './env-example.js';
import { compileSchema } from './json-schema.js';
import { ContractFault, type Verdict, type Violation } from './violation.js';

export interface Contract {
  /** Its file, within the release. */
  readonly file: string;
  judge(service: ServiceFacts, files: Readonly<Record<string, unknown>>): Verdict | Promise<Verdict>;
  /** Of an example file: what it shows. */
  readonly examples: readonly ExampleKey[];
}

export interface OpenedContract {
  readonly file: string;
  readonly contract: Contract | ContractFault;
}

export function openContracts(
  spec: ContractSpec,
  folder: string,
  signal: AbortSignal,
): Promise<OpenedContract[]> {
  const { env, schema, module } = spec;
  const opened = [...env.map((file) => open(file, () => openExample(folder, file)))];
  if (schema !== null) opened.push(open(schema, () => openSchema(folder, schema)));
  if (module !== null) {
    const [file = '', name = 'default'] = module.split('#');
    opened.push(open(file, () => openModule(folder, file, name, signal)));
  }
  return Promise.all(opened);
}

async function open(file: string, read: () => Contract | Promise<Contract>): Promise<OpenedContract> {
  try {
    return { file, contract: await read() };
  } catch (error) {
    if (error instanceof ContractFault) return { file, contract: error };
    throw error;
  }
}

function openExample(folder: string, file: string): Contract {
  const examples = parseExample(readText(folder, file));
  const keys = new Set(examples.map(({ key }) => key));
  return {
    file,
    examples,
    judge({ environment }) {
      const required = examples.filter(({ isRequired }) => isRequired);
      const violations = required.flatMap(({ key }): Violation[] => {
        const value = environment.get(key)?.value;
        if (value === undefined) return [{ key, problem: 'missing', words: 'is missing' }];
        return value === '' ? [{ key, problem: 'empty', words: 'is empty' }] : [];
      });
      return { keys, violations };
    },
  };
}

async function openSchema(folder: string, file: string): Promise<Contract> {
  let schema: unknown;
  try {
    schema = JSON.parse(readText(folder, file));
  } catch (error) {
    if (error instanceof ContractFault) throw error;
    throw new ContractFault('is no valid JSON', 'correct it, and build again');
  }
  const judge = await compileSchema(schema);
  return {
    file,
    examples: [],
    judge: ({ environment }, files) =>
      judge.judge(new Map([...environment].map(([key, { value }]) => [key, value])), files),
  };
}

function openModule(folder: string, file: string, name: string, signal: AbortSignal): Contract {
  readText(folder, file);
  return {
    file,
    examples: [],
    async judge({ environment, node = process.execPath, user }) {
      const barred = whyNoProbe(user);
      if (barred !== undefined)
        throw new ContractFault(`cannot be used: ${barred}`, 'install upkeep where everybody can read it');
      const env = Object.fromEntries([...environment].map(([key, { value }]) => [key, value]));
      const task = { task: 'contract', module: join(folder, file), export: name, env } as const;
      const { lines, died } = await runProbe(task, { node, cwd: folder, user, signal });
      for (const line of lines) {
        if ('fault' in line) throw new ContractFault(line.fault, line.hint);
        if ('contract' in line)
          return { ...line.contract, keys: line.contract.keys && new Set(line.contract.keys) };
      }
      const hint =
        'export the schema from a module that does nothing else: neither judges process.env nor starts';
      throw new ContractFault(`cannot be loaded: it ${died ?? 'ended'} while it was`, hint);
    },
  };
}

function readText(folder: string, file: string): string {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const fact = code === 'ENOENT' ? 'is not in the release' : `cannot be read (${code})`;
    throw new ContractFault(fact, 'correct its path under contract, or put it into the build');
  }
}

/**
 * Plants one mistake at a time into a copy of src/core: every one is caught by a property, and the copy without a
 * mistake passes.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS, type Mutant } from '../../test/mutants/core.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROPERTIES = ['instance', 'restart', 'queue', 'dependency', 'reconcile'] as const;
const WORKERS = 2;
/** A mistake may also make a decision that never ends. */
const TIMEOUT_MS = 120_000;
/** The same histories each time: whether a mistake is caught does not depend on luck. */
const SEED = 1;
const SEEDED = `import fc from 'fast-check';\nfc.configureGlobal({ seed: ${SEED} });\n`;

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
/** With fewer, chance decides: the rarest mistake shows in one history of a hundred, and some properties run a tenth. */
const FEWEST_HISTORIES = 2000;
const histories = Math.max(FEWEST_HISTORIES, Math.round(10_000 * Number(values.scale)));

interface Failure {
  readonly test: string;
  /** The broken promise or the failed assertion. */
  readonly why: string;
}

interface Verdict {
  readonly mutant: Mutant;
  readonly failure: Failure | undefined;
}

const unmutated = await inCopyOfSource(firstFailure);
if (unmutated) throw new Error(`The unmutated copy fails "${unmutated.test}": ${unmutated.why}`);
console.log(`unmutated: passes (${histories} histories a run)\n`);

const verdicts = await tryAll(MUTANTS);
const width = Math.max(...MUTANTS.map(({ name }) => name.length));
let file = '';
for (const { mutant, failure } of verdicts) {
  if (mutant.file !== file) console.log(`${(file = mutant.file)}`);
  const caughtBy = failure ? `${failure.test}${failure.why && `: ${failure.why}`}` : 'SURVIVED';
  console.log(`  ${mutant.name.padEnd(width)}  ${caughtBy}`);
}

const caught = verdicts.filter(({ failure }) => failure).length;
console.log(`\n${caught} of ${MUTANTS.length} mutants caught by properties, ${histories} histories a run`);
process.exitCode = caught === MUTANTS.length ? 0 : 1;

/** In the order of the list, two at a time. */
async function tryAll(mutants: readonly Mutant[]): Promise<Verdict[]> {
  const found = new Map<Mutant, Failure | undefined>();
  const coming = [...mutants];
  const work = async (): Promise<void> => {
    for (let mutant = coming.shift(); mutant; mutant = coming.shift()) {
      found.set(mutant, await tryOne(mutant));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return mutants.map((mutant) => ({ mutant, failure: found.get(mutant) }));
}

function tryOne(mutant: Mutant): Promise<Failure | undefined> {
  return inCopyOfSource(async (folder) => {
    await plant(mutant, join(folder, 'src/core', mutant.file));
    return firstFailure(folder, mutant.file.replace('.ts', ''));
  });
}

async function plant({ name, from, to }: Mutant, path: string): Promise<void> {
  const source = await readFile(path, 'utf8');
  const count = source.split(from).length - 1;
  if (count !== 1) throw new Error(`Cannot plant "${name}": its text stands ${count} times in ${path}`);
  await writeFile(
    path,
    source.replace(from, () => to),
  );
}

async function inCopyOfSource<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'upkeep-mutant-'));
  try {
    for (const part of ['package.json', 'tsconfig.json', 'src/core', 'src/protocol', 'src/util']) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
    await writeFile(join(folder, 'seeded.mjs'), SEEDED);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs the properties, those of the suspect first, until one fails. */
async function firstFailure(folder: string, suspect?: string): Promise<Failure | undefined> {
  const order = PROPERTIES.toSorted((a, b) => Number(b === suspect) - Number(a === suspect));
  for (const name of order) {
    const report = await runTests(folder, `src/core/${name}.prop.test.ts`);
    if (report === undefined) return { test: `${name}.prop.test.ts`, why: 'it never ends' };
    const test = /^not ok \d+ - (.*)$/m.exec(report)?.[1];
    if (test) return { test, why: /Got error: (?:AssertionError.*?: )?(.*)/.exec(report)?.[1] ?? '' };
    if (!/^# fail 0$/m.test(report)) throw new Error(`The properties of ${name} did not run:\n${report}`);
  }
  return undefined;
}

/** The report; undefined if it never comes. */
function runTests(folder: string, testFile: string): Promise<string | undefined> {
  const args = ['--import', 'tsx', '--import', './seeded.mjs', '--test', '--test-reporter=tap', testFile];
  const env = { ...process.env, UPKEEP_PROP_RUNS: String(histories) };
  return new Promise((resolve) => {
    // A failing test exits with 1; the report tells the rest.
    const options = { cwd: folder, env, timeout: TIMEOUT_MS };
    execFile(process.execPath, args, options, (error, stdout) => resolve(error?.killed ? undefined : stdout));
  });
}

/** ARCHITECTURE.md's table of layers, executable. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const FOUNDATION = ['core', 'system', 'protocol'];

/** Which folder of src/ may import which others. Everyone but `protocol` may import `util`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  util: [],
  protocol: [],
  core: ['protocol'],
  config: ['core', 'protocol'],
  system: ['protocol'],
  store: FOUNDATION,
  logs: FOUNDATION,
  metrics: FOUNDATION,
  forensics: FOUNDATION,
  alerts: ['store', ...FOUNDATION],
  inspector: ['system', 'protocol'],
  supervisor: ['config', 'store', 'logs', 'inspector', 'metrics', 'forensics', ...FOUNDATION],
  release: ['config', 'store', 'supervisor', 'metrics', ...FOUNDATION],
  api: ['supervisor', 'release', 'alerts', 'logs', 'metrics', 'forensics', 'store', 'config', 'protocol'],
  daemon: [
    'api',
    'supervisor',
    'release',
    'alerts',
    'logs',
    'metrics',
    'forensics',
    'store',
    'config',
    ...FOUNDATION,
  ],
  client: ['protocol'],
  boot: ['client', 'system', 'protocol'],
  doctor: ['boot', 'client', 'config', 'store', 'logs', ...FOUNDATION],
  cli: ['boot', 'client', 'doctor', 'inspector', 'config', 'core', 'protocol'],
  sdk: ['client', 'config', 'protocol'],
  preload: ['protocol'],
  pm2: ['client', 'config', 'core', 'protocol'],
  fleet: ['client', 'config', 'core', 'protocol'],
};

/** Folders whose modules decide and never do: the same input always gives the same answer. */
const PURE = ['core', 'protocol', 'util'];
const IMPURE = /\b(?:Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval)\b/;
/** util/deferred.ts is about promises; a decision in core/ is never awaited. */
const ASYNCHRONOUS = /\basync\b|\bawait\b|\bPromise\b/;

interface Source {
  readonly path: string;
  readonly folder: string;
  readonly isTest: boolean;
  readonly code: string;
  readonly imports: readonly string[];
}

const sources = readSources();

test('a folder imports only the folders below it', () => {
  const offences = crossings().filter(({ source, folder }) => !mayImport(source.folder, folder));
  assert.deepEqual(
    offences.map(({ source, folder }) => `${source.path}: ${source.folder} may not import ${folder}`),
    [],
  );
});

test('a folder is imported through its index', () => {
  const offences = crossings().filter(({ file }) => file !== 'index.js');
  assert.deepEqual(
    offences.map(({ source, folder, file }) => `${source.path}: ${folder}/${file}`),
    [],
  );
});

test('every folder of src stands in the table', () => {
  const unknown = new Set(sources.map(({ folder }) => folder).filter((folder) => !(folder in MAY_IMPORT)));
  assert.deepEqual([...unknown], []);
});

test('core, protocol and util import nothing of Node and read neither clock nor randomness', () => {
  const pure = sources.filter(({ folder, isTest }) => PURE.includes(folder) && !isTest);
  const offences = pure.filter(
    ({ folder, imports, code }) =>
      imports.some((specifier) => specifier.startsWith('node:')) ||
      IMPURE.test(code) ||
      (folder === 'core' && ASYNCHRONOUS.test(code)),
  );
  assert.deepEqual(
    offences.map(({ path }) => path),
    [],
  );
});

test('only bin/ calls process.exit', () => {
  const offences = sources.filter(({ code }) => /\bprocess\.exit\(/.test(code));
  assert.deepEqual(
    offences.map(({ path }) => path),
    [],
  );
});

function mayImport(from: string, to: string): boolean {
  if (to === 'util') return from !== 'protocol';
  return MAY_IMPORT[from]?.includes(to) ?? false;
}

/** Every import that leaves its folder, as `../<folder>/<file>`. */
function crossings(): { source: Source; folder: string; file: string }[] {
  return sources.flatMap((source) =>
    source.imports.flatMap((specifier) => {
      if (!specifier.startsWith('.')) return [];
      const { pathname } = new URL(specifier, `file:///${source.path}`);
      const [, , folder = '', ...rest] = pathname.split('/');
      return folder === source.folder ? [] : [{ source, folder, file: rest.join('/') }];
    }),
  );
}

function readSources(): Source[] {
  const root = fileURLToPath(new URL('..', import.meta.url));
  return readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const code = withoutComments(readFileSync(`${root}src/${path}`, 'utf8'));
      return {
        path: `src/${path}`,
        folder: path.split('/')[0]!,
        isTest: path.endsWith('.test.ts'),
        code,
        imports: [...code.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, name]) => name!),
      };
    });
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

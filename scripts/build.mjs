/**
 * Builds dist/: the bundles, the OpenAPI document, the JSON Schema of the configuration file and the types that
 * `import … from 'upkeep'` shows. The bundles exist for start-up time: a command of the CLI is a chunk of its own,
 * so that none pays for the others, while the daemon is one file, which an upgrade on disk cannot pull away from
 * under it. Nothing is minified: that saved no time (`list`, 40 runs each: 142 ms either way on a busy machine,
 * 149 ms without chunks), and stack traces stay readable.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { openApi } from './openapi.mjs';
import { BUILD_STAMP, filesUnder, ROOT, runQuietly } from './setup.mjs';

const DIST = join(ROOT, 'dist');

/** For what is CommonJS (yauzl) and requires modules of Node. */
const REQUIRE = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`;

const BUNDLES = [
  { name: 'cli', source: 'src/cli/main.ts', splitting: true },
  { name: 'daemon', source: 'src/daemon/main.ts' },
  // A child of the daemon for each question about logs: it must start fast.
  { name: 'log-query', source: 'src/logs/query/main.ts' },
  { name: 'log-archiver', source: 'src/logs/archive/main.ts' },
  // A child of the daemon, where somebody is to be told of something.
  { name: 'alert-sender', source: 'src/alerts/sender/main.ts' },
  // A child for each archive: the readers of the formats, and what a hostile one costs, stay out of the daemon.
  { name: 'archive-extractor', source: 'src/release/archive/main.ts', banner: REQUIRE },
  // A child that loads code of a release, with whatever Node its services have.
  {
    name: 'preflight-probe',
    source: 'src/release/preflight/probe/main.ts',
    format: 'cjs',
    target: 'node14',
    extension: '.cjs',
  },
  // A child for each stage of a release that reads, fetches or runs what others made.
  { name: 'release-worker', source: 'src/release/worker/main.ts', banner: REQUIRE },
  // What programs and configuration files import.
  { name: 'sdk', source: 'src/sdk/index.ts' },
  // Runs inside the applications, whatever Node they are on.
  { name: 'preload', source: 'src/preload/index.ts', format: 'cjs', target: 'node7.10', extension: '.cjs' },
];

/** Everything else is bundled. These read their own files at run time, or are large and rarely needed. */
const RESOLVED_AT_RUN_TIME = ['tsx', 'esbuild', '@babel/parser', 'chokidar'];

const SHARED_OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: RESOLVED_AT_RUN_TIME.flatMap((name) => [name, `${name}/*`]),
  // The build of yaml for Node is CommonJS, which cannot be shaken and would need a `require` in every chunk.
  alias: { yaml: join(ROOT, 'node_modules/yaml/browser/index.js') },
  legalComments: 'none',
  write: false,
  logLevel: 'warning',
  logLimit: 5,
};

/** What the two documents are made from. */
const CONTRACT = `
  export * from './src/protocol/index.js';
  export { configJsonSchema, DEFINITIONS } from './src/config/json-schema.js';
`;

const startedAt = new Date();
const written = new Set();
const bundles = BUNDLES.filter(({ name, source }) => {
  if (existsSync(join(ROOT, source))) return true;
  console.log(`No ${source} yet: the bundle ${name} is skipped`);
  return false;
});
// Each part stands for itself: a CLI that does not compile keeps nobody from a new daemon.
const parts = await Promise.allSettled([...bundles.map(bundle), writeContract(), writeTypes()]);
const failures = parts.flatMap(({ reason }) => (reason ? [reason] : []));
if (failures.length === 0) {
  removeStale();
  emit(BUILD_STAMP, '');
  utimesSync(BUILD_STAMP, startedAt, startedAt); // what was saved meanwhile may not be in it
  console.log(`Built dist/ in ${((Date.now() - startedAt.getTime()) / 1000).toFixed(1)} s`);
} else {
  for (const { errors, message, stack } of failures) if (!errors) console.error(stack ?? message);
  console.error(`Cannot build dist/: ${failures.length} of ${parts.length} parts failed`);
  process.exitCode = 1;
}

async function bundle({ name, source, splitting = false, format, target, banner, extension = '.js' }) {
  const { outputFiles } = await build({
    ...SHARED_OPTIONS,
    ...(format && { format, target }),
    ...(banner && { banner: { js: banner } }),
    outExtension: { '.js': extension },
    entryPoints: { [name]: source },
    outdir: 'dist',
    splitting,
    chunkNames: 'chunks/[name]-[hash]',
  });
  // Chunks come before the entry that names them, so that a CLI started meanwhile finds what it asks for.
  for (const file of outputFiles.reverse()) emit(file.path, file.contents);
}

/** The two documents that are made from the schemas in the code. */
async function writeContract() {
  const { outputFiles } = await build({
    ...SHARED_OPTIONS,
    stdin: {
      contents: CONTRACT,
      resolveDir: ROOT,
    },
    packages: 'external',
    alias: {},
  });
  const file = join(ROOT, 'node_modules/.cache', `upkeep-contract-${process.pid}.mjs`);
  emit(file, outputFiles[0].contents);
  try {
    const contract = await import(pathToFileURL(file).href);
    emit(join(DIST, 'openapi.json'), toJson(openApi(contract, readVersion())));
    const definitions = contract.DEFINITIONS.map((name) =>
      readFileSync(join(ROOT, 'src/config', name), 'utf8'),
    );
    emit(join(DIST, 'upkeep.schema.json'), toJson(contract.configJsonSchema(definitions)));
  } finally {
    rmSync(file);
  }
}

/** Only what `import … from 'upkeep'` reaches. */
async function writeTypes() {
  if (!existsSync(join(ROOT, 'src/sdk/index.ts'))) return;
  const { code, output } = await runQuietly('node_modules/.bin/tsc', ['--project', 'tsconfig.types.json']);
  if (code !== 0) throw new Error(`Cannot write dist/types: tsc exited with ${code}\n${output}`);
}

/** By rename, so that nobody reads half a file. */
function emit(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
  written.add(path);
}

/** What an earlier build left; not the types, which are tsc's, nor what another build is just writing. */
function removeStale() {
  for (const file of filesUnder('dist')) {
    const isKept =
      written.has(join(ROOT, file)) || file.startsWith('dist/types/') || basename(file).startsWith('.');
    if (!isKept) rmSync(join(ROOT, file), { force: true });
  }
}

function readVersion() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
}

function toJson(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

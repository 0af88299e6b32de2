/** The documentation is what the code makes it, its links lead somewhere, and its examples are accepted. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatDiagnostics, loadConfig } from '../src/config/index.js';
import type { ReleaseSpec, ServiceSpec } from '../src/protocol/index.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
/** Not ours, not written by people, or (templates) read as the pages that are made from them. */
const NOT_READ = ['node_modules', 'dist', 'templates'];

test('the generated pages are what npm run docs writes', async () => {
  await promisify(execFile)(process.execPath, ['scripts/docs.mjs', '--check'], { cwd: ROOT });
});

test('every relative link leads to a file, every anchor to a heading', () => {
  const broken = markdownFiles(ROOT).flatMap((page) =>
    linksOf(withoutCode(readFileSync(page, 'utf8')))
      .filter((link) => !leadsSomewhere(page, link))
      .map((link) => `${relative(ROOT, page)}: ${link}`),
  );
  assert.deepEqual(broken, []);
});

test('the examples of the configuration are accepted, in YAML and in TypeScript alike', async (context) => {
  const page = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  const examples = [...page.matchAll(/```yaml\n(.*?)```\s+```ts\n(.*?)```/gs)];
  assert.ok(examples.length > 10);
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-docs-'));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const file of filesNamedIn(page)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  mkdirSync(join(folder, 'public'));
  providePrograms(join(folder, 'bin'), programsNamedIn(page));
  for (const [, yaml = '', typescript = ''] of examples) {
    const fromYaml = await load(join(folder, 'example.yaml'), yaml);
    const fromTypescript = await load(join(folder, 'example.ts'), typescript);
    assert.deepEqual(fromTypescript, fromYaml, yaml);
  }
});

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || NOT_READ.includes(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function withoutCode(text: string): string {
  return text
    .replaceAll(/^```.*?^```/gms, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ''));
}

function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).has(anchor);
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replaceAll(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** What the examples name and `check` would miss: scripts, env files, files of secrets. */
function filesNamedIn(page: string): string[] {
  const scripts = [...page.matchAll(/script: ([\w./-]+\.js)$/gm)].map(([, file = '']) => file);
  return [...new Set([...scripts, '.env', 'local.env', 'secrets/database', 'secrets/gitlab'])];
}

/** A first word that is no path. */
function programsNamedIn(page: string): string[] {
  return [...page.matchAll(/command: ([\w-]+) /g)].map(([, program = '']) => program);
}

/** The examples have to be accepted on a machine that has none of them. */
function providePrograms(folder: string, programs: readonly string[]): void {
  mkdirSync(folder);
  for (const program of programs) writeFileSync(join(folder, program), '#!/bin/sh\n', { mode: 0o755 });
  process.env.PATH = `${process.env.PATH}:${folder}`;
}

interface Loaded {
  readonly services: readonly Omit<ServiceSpec, 'origin'>[];
  readonly releases: readonly Omit<ReleaseSpec, 'services'>[];
}

async function load(file: string, text: string): Promise<Loaded> {
  writeFileSync(file, text);
  const result = await loadConfig(file);
  assert.ok(result.ok, result.ok ? '' : `${text}\n${formatDiagnostics(result.diagnostics)}`);
  assert.deepEqual(result.warnings, [], text);
  return {
    services: result.services.map(({ origin: _, ...spec }) => spec),
    releases: result.releases.map(({ services: _, ...spec }) => spec),
  };
}

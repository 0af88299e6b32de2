/** Archives as people make them, taken out by upkeep and by other tools, and compared. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extractArchive } from '../../../src/release/index.js';
import { snapshot } from '../../../test/rig/snapshot.js';
import { pax, tar } from '../../../test/rig/tar-bytes.js';
import { zip } from '../../../test/rig/zip-bytes.js';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
/** Installed with upkeep, so npm has them in its cache. */
const PACKAGES = ['valibot', 'yaml', 'yauzl', 'croner'];

/** As for files whose size is not known before. */
const WRITE_ZIP64 = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as archive:
    for name in ['start', 'link']:
        info = zipfile.ZipInfo.from_file('source/bin/' + name, name)
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, 'w', force_zip64=True) as file, open('source/bin/' + name, 'rb') as source:
            file.write(source.read())
`;

interface Honest {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
}

interface Sample {
  readonly name: string;
  readonly archive: string;
  /** The same, unpacked by somebody else. */
  readonly expected: string;
}

export async function checkHonestArchives(work: string): Promise<Honest[]> {
  mkdirSync(work);
  const source = makeSource(join(work, 'source'));
  const samples = [
    ...npmTarballs(work),
    ...gitArchives(work),
    ...tarsOf(source, work),
    ...zipsOf(source, work),
    ...ownBytes(work),
  ];
  const found: Honest[] = [];
  for (const [each, { name, archive, expected }] of samples.entries()) {
    const folder = join(work, `extracted-${each}`);
    const { entries, bytes } = await extractArchive(archive, folder);
    assert.deepEqual(snapshot(folder), snapshot(expected, { modeOf: normalised }), name);
    found.push({ name, entries, bytes });
  }
  return found;
}

function normalised(mode: number): number {
  return mode & 0o111 ? 0o755 : 0o644;
}

function npmTarballs(work: string): Sample[] {
  const folder = join(work, 'npm');
  mkdirSync(folder);
  const names = PACKAGES.map((name) => `${name}@${versionOf(name)}`);
  const options = ['--prefer-offline', '--ignore-scripts', '--json', '--pack-destination', folder];
  const printed = run('npm', ['pack', ...options, ...names], folder);
  const packs = Object.values(JSON.parse(printed) as Record<string, { filename: string }>);
  return packs.map(({ filename }) => byTar(`npm's ${filename}`, join(folder, filename), work));
}

function versionOf(name: string): string {
  const path = join(REPOSITORY, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** The whole repository. */
function gitArchives(work: string): Sample[] {
  const packed = join(work, 'git.tar.gz');
  const zipped = join(work, 'git.zip');
  run('git', ['archive', '--format=tar.gz', '-o', packed, 'HEAD'], REPOSITORY);
  run('git', ['archive', '--format=zip', '-o', zipped, 'HEAD'], REPOSITORY);
  const sample = byTar('git archive --format=tar.gz', packed, work);
  return [sample, { name: 'git archive --format=zip', archive: zipped, expected: sample.expected }];
}

/** What applications have: programs, links, long names, names in other scripts, empty folders and files. */
function makeSource(folder: string): string {
  const long = join(folder, 'node_modules', 'p'.repeat(90), 'q'.repeat(90), 'r'.repeat(90));
  mkdirSync(long, { recursive: true });
  mkdirSync(join(folder, 'empty'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(long, 'index.js'), 'export {};\n');
  writeFileSync(join(folder, 'empty.txt'), '');
  writeFileSync(join(folder, 'größe 数.txt'), 'größe');
  writeFileSync(join(folder, 'large.bin'), Buffer.alloc(3_000_001, 'abcdefg'));
  writeFileSync(join(folder, 'bin', 'start'), '#!/bin/sh\n');
  chmodSync(join(folder, 'bin', 'start'), 0o775);
  chmodSync(join(folder, 'empty.txt'), 0o600);
  symlinkSync('../empty.txt', join(folder, 'bin', 'link'));
  symlinkSync('node_modules', join(folder, 'modules'));
  return folder;
}

function tarsOf(source: string, work: string): Sample[] {
  const hard = join(work, 'hard');
  mkdirSync(hard);
  writeFileSync(join(hard, 'one'), 'one');
  linkSync(join(hard, 'one'), join(hard, 'two'));
  const made = ['gnu', 'pax'].map((format) => {
    const archive = join(work, `${format}.tar.gz`);
    run('tar', ['-czf', archive, `--format=${format}`, '-C', work, 'source', 'hard'], work);
    return byTar(`tar --format=${format}`, archive, work);
  });
  const plain = join(work, 'plain.tar');
  run('tar', ['-cf', plain, '-C', source, '.'], work);
  const python = join(work, 'python.tar');
  run('python3', ['-m', 'tarfile', '-c', python, 'source'], work);
  return [...made, byTar('tar -C folder -cf … .', plain, work), byTar("Python's tarfile", python, work)];
}

/** Python's zipfile follows links and knows none, so it gets a folder without. */
function zipsOf(source: string, work: string): Sample[] {
  const plain = join(work, 'python', 'source');
  mkdirSync(join(work, 'python'));
  run('cp', ['-rL', source, plain], work);
  const python = join(work, 'python.zip');
  run('python3', ['-m', 'zipfile', '-c', python, 'source'], join(work, 'python'));
  const expected = join(work, 'python');
  const large = join(work, 'zip64.zip');
  run('python3', ['-c', WRITE_ZIP64, large], expected);
  const samples = [
    { name: "Python's zipfile", archive: python, expected },
    { name: "Python's zipfile with zip64", archive: large, expected: join(expected, 'source', 'bin') },
  ];
  if (spawnSync('zip', ['-v']).status !== 0) return samples;
  const zipped = join(work, 'info.zip');
  run('zip', ['-qry', zipped, '.'], source);
  const piped = join(work, 'piped.zip');
  execFileSync('sh', ['-c', `zip -qr - source | cat >'${piped}'`], { cwd: join(work, 'python') });
  return [
    ...samples,
    { name: 'zip -ry', archive: zipped, expected: source },
    { name: 'zip -r - | cat', archive: piped, expected: join(work, 'python') },
  ];
}

/** What makes the hostile ones can make good ones: they are not refused for how they are made. */
function ownBytes(work: string): Sample[] {
  const expected = join(work, 'own');
  mkdirSync(join(expected, 'lib'), { recursive: true });
  writeFileSync(join(expected, 'lib', 'a.txt'), 'a');
  writeFileSync(join(expected, 'b.txt'), 'b');
  symlinkSync('lib/a.txt', join(expected, 'l'));
  const tarred = tar(
    { name: 'lib/', type: '5', mode: 0o700 },
    pax([['path', 'lib/a.txt']]),
    { name: 'short', content: 'a' },
    { name: 'b.txt', content: 'b', mode: 0o400 },
    { name: 'l', type: '2', linkName: 'lib/a.txt', mode: 0o777 },
  );
  const zipped = zip([
    { name: 'lib/', mode: 0o040700 },
    { name: 'lib/a.txt', content: 'a', method: 8 },
    { name: 'b.txt', content: 'b' },
    { name: 'l', mode: 0o120777, content: 'lib/a.txt' },
  ]);
  return [
    { name: 'a tar made here byte by byte', archive: write(join(work, 'own.tar'), tarred), expected },
    { name: 'a zip made here byte by byte', archive: write(join(work, 'own.zip'), zipped), expected },
  ];
}

function byTar(name: string, archive: string, work: string): Sample {
  const expected = `${archive}.expected`;
  mkdirSync(expected);
  run('tar', ['-xf', archive, '-C', expected, '--no-same-owner'], work);
  return { name, archive, expected };
}

function write(path: string, bytes: Buffer): string {
  writeFileSync(path, bytes);
  return path;
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

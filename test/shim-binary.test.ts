/** Nobody has to trust the binaries in git: the same source and the same toolchain give the same bytes. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const NATIVE = fileURLToPath(new URL('../native', import.meta.url));
const COMMITTED = ['linux-x64', 'linux-arm64'];

test('the committed shims are executable', () => {
  for (const target of COMMITTED) accessSync(join(NATIVE, target, 'upkeep-shim'), constants.X_OK);
});

test('the committed shims are what their source builds', (context) => {
  const musl = spawnSync('musl-gcc', ['--version']);
  if (musl.error) return skip('musl-gcc is not installed');
  const out = mkdtempSync(join(tmpdir(), 'upkeep-shim-'));
  try {
    execFileSync('sh', [join(NATIVE, 'build.sh'), out], { stdio: ['ignore', 'ignore', 'inherit'] });
    const toolchain = readFileSync(join(out, 'toolchain.txt'), 'utf8');
    if (toolchain !== readFileSync(join(NATIVE, 'toolchain.txt'), 'utf8')) {
      return skip(`built with another toolchain: ${toolchain.trim().replaceAll('\n', ', ')}`);
    }
    const built = readdirSync(out).filter((entry) => COMMITTED.includes(entry));
    assert.ok(built.length > 0, 'build.sh built none of the committed binaries');
    for (const target of built) {
      const bytes = readFileSync(join(out, target, 'upkeep-shim'));
      const hint = `native/${target}/upkeep-shim is not what shim.c builds: run npm run build:shim`;
      assert.ok(bytes.equals(readFileSync(join(NATIVE, target, 'upkeep-shim'))), hint);
    }
  } finally {
    rmSync(out, { recursive: true });
  }

  /** Where it counts, nothing may be left untested. */
  function skip(reason: string): void {
    assert.notEqual(process.env.CI, 'true', reason);
    context.skip(reason);
  }
});

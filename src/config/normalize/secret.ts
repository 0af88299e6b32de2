/** Where a value is read from that is never written down. */
import { resolve } from 'node:path';
import type { SecretSpec } from '../../protocol/index.js';
import type { Path } from '../diagnostic.js';
import { resolveCommand, type ProgramContext } from './program.js';

export async function secretSpec(
  { file, command }: { file?: string; command?: string | string[] },
  part: Path,
  context: ProgramContext,
): Promise<SecretSpec> {
  if (file !== undefined && command === undefined) return { file: resolve(context.folder, file) };
  if (command !== undefined && file === undefined)
    return { command: await resolveCommand(command, [...part, 'command'], context) };
  context.refuse(
    [...part],
    'exactly one of file and command is needed',
    `write ${part.at(-1)}: {file: ./${part.at(-1)}}`,
  );
  return { file: '' };
}

/** Files that hold secrets and that others may read. */
import { isSecretKey } from '../../config/index.js';
import { quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { FileFact, Machine } from '../machine.js';
import { wordCount, wordList } from '../words.js';

export function findPermissions(machine: Machine): Finding[] {
  return [...findHome(machine), ...findSecrets(machine)];
}

/** Values of variables stand in the state and in the operations; the logs may have anything. */
function findHome({ home }: Machine): Finding[] {
  const exposed = home.files.filter(({ kind, readableBy }) => kind === 'file' && readableBy !== 'owner');
  if (exposed.length === 0) return [];
  const who = exposed.some(({ readableBy }) => readableBy === 'everyone') ? 'everyone' : 'its group';
  const names = exposed.map(({ path }) => path.slice(home.path.length + 1));
  return [
    {
      id: 'home-readable',
      severity: 'error',
      fact: `${wordCount(exposed.length, 'file')} of ${home.path} can be read by ${who}: ${wordList(names, 3)}`,
      evidence: { home: home.path, files: names, readableBy: who },
      command: `chmod 700 ${quote(home.path)}`,
      repair: { kind: 'chmod', path: home.path, mode: 0o700 },
    },
  ];
}

/** Who shares an env file with whom is not ours to decide: no repair. */
function findSecrets(machine: Machine): Finding[] {
  const paths = machine.home.services.flatMap(({ spec }) => [
    ...spec.envFiles.filter((file) => holdsSecret(machine, file)),
    ...Object.values(spec.secrets).flatMap((secret) => ('file' in secret ? secret.file : [])),
  ]);
  const exposed = [...new Set(paths)]
    .map((path) => machine.file(path))
    .filter((file): file is FileFact => file?.readableBy === 'everyone');
  return exposed.map(({ path }) => ({
    id: 'secrets-readable',
    severity: 'warning',
    fact: `${path} holds secrets and can be read by everyone`,
    evidence: { path },
    command: `chmod o-rwx ${quote(path)}`,
  }));
}

function holdsSecret(machine: Machine, file: string): boolean {
  return machine.namesIn(file).some(isSecretKey);
}

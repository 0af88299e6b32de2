/** Folders of attempts whose shim was killed, which clears its own away. */
import { quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { wordCount, wordList } from '../words.js';

/** A daemon needs a moment for what has just ended. */
const SETTLED_MS = 60_000;

export function findRunFolders({ home, now }: Machine): Finding[] {
  const isDaemonThere = home.lockOwner !== undefined;
  const names = home.services.map(({ spec }) => spec.name);
  const orphans = home.runs.filter(({ path, isShimAlive, changedAt }) => {
    if (isShimAlive || (isDaemonThere && now - changedAt < SETTLED_MS)) return false;
    // How an attempt of a service ended is still to be read, by this daemon or the next one.
    const name = path.slice(path.lastIndexOf('/') + 1);
    return !names.some((service) => name.startsWith(`${service}.`));
  });
  if (orphans.length === 0) return [];
  const paths = orphans.map(({ path }) => path);
  return [
    {
      id: 'orphaned-run-folder',
      severity: 'note',
      fact: `${wordCount(paths.length, 'run folder')} without a living shim: ${wordList(paths, 3)}`,
      evidence: { paths },
      command: `rm -r ${paths.map(quote).join(' ')}`,
      repair: { kind: 'remove', paths, lock: isDaemonThere ? null : `${home.path}/daemon.lock` },
    },
  ];
}

/** The daemon of the home: whether it is there, answers, and is of this version; what a dead one left. */
import { quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { wordList, wordProcess, wordTime } from '../words.js';

export function findDaemon(machine: Machine): Finding[] {
  return [
    ...findAbsence(machine),
    ...findSilence(machine),
    ...findVersion(machine),
    ...findSocket(machine),
    ...findState(machine),
  ];
}

function findAbsence({ home, answer }: Machine): Finding[] {
  const wanted = home.services.filter(({ isWanted, spec }) => isWanted && !spec.schedule?.run);
  if (answer.kind === 'answers' || home.lockOwner || wanted.length === 0) return [];
  const dead = wanted
    .map(({ spec }) => spec.name)
    .filter((name) => !home.instances.some(({ service, main }) => service === name && main));
  const fate = dead.length > 0 ? `${wordList(dead)} should run and does not` : 'nobody restarts what ends';
  return [
    {
      id: 'daemon-not-running',
      severity: dead.length > 0 ? 'error' : 'warning',
      fact: `no daemon runs in ${home.path}: ${fate}`,
      evidence: { home: home.path, services: wanted.map(({ spec }) => spec.name), dead },
      command: 'upkeep daemon start',
    },
  ];
}

/** The kernel lets go of the lock when its owner dies: whoever holds it lives. */
function findSilence({ home, answer }: Machine): Finding[] {
  if (answer.kind === 'answers' || !home.lockOwner) return [];
  // A guardian may hold the lock for its daemon.
  const owner = home.daemon ?? home.lockOwner;
  return [
    {
      id: 'daemon-not-answering',
      severity: 'error',
      fact: `${wordProcess(owner)} holds ${home.path}/daemon.lock since ${wordTime(owner.startedAt)} and does not answer: ${answer.why}`,
      evidence: { pid: owner.pid, lock: `${home.path}/daemon.lock`, why: answer.why },
      command: `kill -9 ${owner.pid} && upkeep daemon start`,
    },
  ];
}

function findVersion({ answer, version }: Machine): Finding[] {
  if (answer.kind !== 'answers' || answer.daemon.version === version) return [];
  const { daemon } = answer;
  return [
    {
      id: 'daemon-of-another-version',
      severity: 'note',
      fact: `the daemon (pid ${daemon.pid}) is upkeep ${daemon.version}, this command is ${version}`,
      evidence: { pid: daemon.pid, daemon: daemon.version, command: version },
      // Without one it is an init system's, which starts it with the version that its unit names.
      command:
        daemon.guardian === null ? 'upkeep daemon stop && upkeep daemon start' : 'upkeep daemon upgrade',
    },
  ];
}

/** A daemon takes its socket away when it ends in order. */
function findSocket(machine: Machine): Finding[] {
  const { home, answer } = machine;
  const path = `${home.path}/daemon.sock`;
  const socket = home.files.find((file) => file.path === path);
  if (!socket || answer.kind === 'answers' || home.lockOwner) return [];
  // The daemon that has to be started takes its place.
  if (findAbsence(machine).length > 0) return [];
  return [
    {
      id: 'stale-socket',
      severity: 'note',
      fact: `${path} is left of a daemon that died: nobody listens, nobody holds daemon.lock`,
      evidence: { path, since: wordTime(socket.changedAt), owner: null },
      command: `rm ${quote(path)}`,
      repair: { kind: 'remove', paths: [path], lock: `${home.path}/daemon.lock` },
    },
  ];
}

/** A torn state.json.new is one that is just written, or was when the power went: never the only copy. */
function findState({ home, answer }: Machine): Finding[] {
  const notes = home.stateNotes.filter((note) => !/^(?:state\.json\.new is|loaded state\.json,)/.test(note));
  if (notes.length === 0) return [];
  // A daemon that lives has all of it in memory and writes it down at each operation: twice, for both copies.
  const known = answer.kind === 'answers' ? answer.services : [];
  const running = known.find(({ status }) => status === 'running')?.name;
  return [
    {
      id: 'state-damaged',
      severity: 'error',
      fact: `the desired state in ${home.path} is damaged: ${notes.join('; ')}`,
      evidence: { home: home.path, notes },
      command:
        running === undefined
          ? 'upkeep daemon start && upkeep list'
          : `upkeep start ${running} && upkeep start ${running}`,
    },
  ];
}

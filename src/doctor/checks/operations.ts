/** Changes that were accepted and do not end. */
import { formatDuration } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { wordList } from '../words.js';

const LONG_MS = 5 * 60_000;

export function findOperations({ home, answer, now }: Machine): Finding[] {
  const operations = answer.kind === 'answers' ? answer.operations : home.unfinished;
  const late = operations.filter(({ status, acceptedAt }) => {
    return (status === 'queued' || status === 'running') && now - Date.parse(acceptedAt) > LONG_MS;
  });
  return late.map(({ id, kind, acceptedAt, steps }) => {
    const open = steps.filter(({ status }) => status === 'pending' || status === 'running');
    const services = open.map(({ service }) => service);
    const age = formatDuration(now - Date.parse(acceptedAt));
    return {
      id: 'operation-unfinished',
      severity: 'warning',
      fact: `operation ${id} (${kind} ${wordList(services)}) was accepted ${age} ago and has not ended`,
      evidence: { operation: id, kind, acceptedAt, services },
      // The next daemon takes it up; one that is there has to be told.
      command: answer.kind === 'answers' ? `upkeep abort ${id}` : 'upkeep daemon start',
    };
  });
}

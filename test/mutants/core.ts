/** Mistakes that somebody could make in src/core: each is planted alone, and a property must notice it. */

export interface Mutant {
  readonly name: string;
  /** In src/core. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

export const MUTANTS: readonly Mutant[] = [
  ...inFile('instance.ts', [
    [
      'news of an older attempt are believed',
      `if ('attempt' in event && event.attempt !== state.attempt) return`,
      `if (false) return`,
    ],
    [
      'stop while waiting spawns',
      `if (next === 'start') return spawn(state.attempt, NO_FAILURES, at, policy);`,
      `return spawn(state.attempt, NO_FAILURES, at, policy);`,
    ],
    [
      'no kill timer after the stop signal',
      `{ id: 'signal', attempt, signal: policy.stop.signal },
      { id: 'set-timer', attempt, timer: 'kill', at: killAt },`,
      `{ id: 'signal', attempt, signal: policy.stop.signal },`,
    ],
    [
      'no kill timer for the descendants of a crash',
      `{ id: 'signal-tree', attempt, signal: policy.stop.signal },
      { id: 'set-timer', attempt, timer: 'kill', at: killAt },`,
      `{ id: 'signal-tree', attempt, signal: policy.stop.signal },`,
    ],
    [
      'SIGKILL is not repeated',
      `effects: [killEffect(state, policy), { id: 'set-timer', attempt, timer: 'kill', at: again }],`,
      `effects: [killEffect(state, policy)],`,
    ],
    [
      'SIGKILL is repeated too late',
      `const again = event.at + KILL_AGAIN_MS;`,
      `const again = event.at + 2 * KILL_AGAIN_MS;`,
    ],
    [
      'SIGKILL comes at once when stop is asked',
      `const killAt = at + policy.stop.graceMs;
  return {
    state: { ...state, isDraining: false, killAt },`,
      `const killAt = at;
  return {
    state: { ...state, isDraining: false, killAt },`,
    ],
    [
      'the exit of the root begins a new grace',
      `const killAt = state.isDraining ? event.at + policy.stop.graceMs : state.killAt;`,
      `const killAt = event.at + policy.stop.graceMs;`,
    ],
    [
      'SIGKILL goes to the root alone',
      `return policy.stop.killScope === 'process'
    ?`,
      `return true
    ?`,
    ],
    ['an empty tree is believed while the root lives', `if (!state.isGone) return`, `if (false) return`],
    ['an exit is accepted twice', `if (state.isGone) return`, `if (false) return`],
    [
      'what an exit leaves behind is forgotten',
      `const isOver = event.isTreeEmpty || policy.stop.killScope === 'process';`,
      `const isOver = true;`,
    ],
    [
      'kill scope "process" is taken for "tree" when the process exits',
      `const isOver = event.isTreeEmpty || policy.stop.killScope === 'process';`,
      `const isOver = event.isTreeEmpty;`,
    ],
    [
      'a stopped attempt is not released',
      `return { state: { id: 'stopped', attempt }, effects: [release] };`,
      `return { state: { id: 'stopped', attempt }, effects: [] };`,
    ],
    [
      'an attempt is not released before its retry',
      `if (delayMs === 0) return first(release, spawn(attempt, history, event.at, policy));`,
      `if (delayMs === 0) return spawn(attempt, history, event.at, policy);`,
    ],
    [
      'no retry timer',
      `effects: [release, { id: 'set-timer', attempt, timer: 'retry', at: until }],`,
      `effects: [release],`,
    ],
    [
      'no ready timer',
      `{ id: 'spawn', attempt },
      { id: 'set-timer', attempt, timer: 'ready', at: at + policy.readyTimeoutMs },`,
      `{ id: 'spawn', attempt },`,
    ],
    [
      'a stopping instance does not hear the last word',
      `return { state: { ...state, next }, effects: [] };`,
      `return { state, effects: [] };`,
    ],
    [
      'restart and stop are exchanged',
      `return leave(state, event.at, 'start', policy);`,
      `return leave(state, event.at, 'stop', policy);`,
    ],
    [
      'start is not heard while a crash is cleared away',
      `    case 'ending':
    case 'stopping':
      return leave(state, at, 'start', policy);
    case 'starting':`,
      `    case 'stopping':
      return leave(state, at, 'start', policy);
    case 'ending':
    case 'starting':`,
    ],
    [
      'a retry comes although it was stopped',
      `return state.id === 'waiting'
        ? spawn(attempt, state.history, event.at, policy)`,
      `return state.id === 'waiting' || state.id === 'stopped'
        ? spawn(attempt, NO_FAILURES, event.at, policy)`,
    ],
    [
      'a retry forgets the failures before it',
      `? spawn(attempt, state.history, event.at, policy)`,
      `? spawn(attempt, NO_FAILURES, event.at, policy)`,
    ],
    [
      'the end of a drain is not waited for',
      `if (drainMs === 0) return signal(state, at, policy);`,
      `if (drainMs >= 0 && state.id === 'ending') return signal(state, at, policy);`,
    ],
    [
      'a drain has no deadline',
      `{ id: 'drain', attempt, mode, until },
      { id: 'set-timer', attempt, timer: 'drain', at: until },`,
      `{ id: 'drain', attempt, mode, until },`,
    ],
    [
      'a drain that ended is not heard',
      `return isDraining ? signal(state, at, policy) : { state, effects: [] };`,
      `return { state, effects: [] };`,
    ],
    [
      'an attempt is counted twice',
      `Math.max(lastAttempt, policy.takenAttempt ?? 0) + 1;`,
      `Math.max(lastAttempt, policy.takenAttempt ?? 0) + (history.row > 1 ? 2 : 1);`,
    ],
    [
      'a failing instance is replaced before it is gone',
      `return isAlive(state) ? fail(state, event.at, event.kind, policy) : { state, effects: [] };`,
      `return isAlive(state) ? spawn(state.attempt, state.history, event.at, policy) : { state, effects: [] };`,
    ],
  ]),
  ...inFile('restart.ts', [
    [
      'the backoff is not capped',
      `Math.min(policy.maxDelayMs, policy.delayMs * 2 ** Math.min(row - 2, MOST_DOUBLINGS))`,
      `policy.delayMs * 2 ** Math.min(row - 2, MOST_DOUBLINGS)`,
    ],
    ['the backoff does not grow', `2 ** Math.min(row - 2, MOST_DOUBLINGS)`, `2`],
    ['the backoff overflows', `2 ** Math.min(row - 2, MOST_DOUBLINGS)`, `2 ** (row - 2)`],
    [
      'a stable attempt does not end the row',
      `const row = wasStable ? 1 : history.row + 1;`,
      `const row = history.row + 1;`,
    ],
    ['the first restart waits', `const delayMs = row === 1 ? 0 :`, `const delayMs =`],
    ['old failures count for ever', `isLooping || at - failure < policy.windowMs`, `true`],
    ['a crash loop forgets itself between slow tries', `isLooping || at - failure`, `at - failure`],
    ['a crash loop never ends', `!wasStable && history.failures.length`, `history.failures.length`],
    [
      'a crash loop is seen one failure late',
      `if (failures.length >= policy.limit) {`,
      `if (failures.length > policy.limit) {`,
    ],
    [
      'a crash loop is tried at the pace of the backoff',
      `delayMs: spread(policy.retryMs, ended.jitter)`,
      `delayMs: spread(policy.delayMs, ended.jitter)`,
    ],
    ['jitter is negative', `(1 + JITTER * jitter)`, `(1 - JITTER * jitter)`],
    [
      'a signal ends the service',
      'ending.code === null) return undefined;',
      "ending.code === null) return 'signalled';",
    ],
    ['stop exit codes are ignored', `policy.stopExitCodes.includes(ending.code)`, `false`],
    ['on-failure means always', `policy.policy === 'on-failure' && ending.code === 0`, `false`],
  ]),
  ...inFile('queue.ts', [
    [
      'the newest operation goes first',
      `for (const operation of queue) {`,
      `for (const operation of [...queue].reverse()) {`,
    ],
    [
      'running operations hold nothing back',
      `for (const service of operation.services) held.add(service);`,
      `if (!operation.isRunning) for (const service of operation.services) held.add(service);`,
    ],
    [
      'waiting operations are overtaken',
      `for (const service of operation.services) held.add(service);`,
      `if (operation.isRunning || isFree) for (const service of operation.services) held.add(service);`,
    ],
    ['a running operation begins again', `if (isFree && !operation.isRunning)`, `if (isFree)`],
    [
      'a request joins what has begun',
      `if (!operation.isRunning && operation.key === key)`,
      `if (operation.key === key)`,
    ],
    [
      'a request joins across another operation',
      `if ([...operation.services].some((service) => services.has(service))) return undefined;`,
      ``,
    ],
  ]),
  ...inFile('dependency.ts', [
    [
      'dependencies start last',
      `    order.add(service.name);
  };`,
      `  };
  for (const { name } of services) order.add(name);`,
    ],
    ['followers of followers are left behind', 'before !== names.size;', 'before < 0;'],
    ['everybody follows', `service.restartWithDependencies && Object`, `Object`],
    [
      'a cycle of one is not seen',
      `if (path.includes(name)) return`,
      `if (path.includes(name) && path.at(-1) !== name) return`,
    ],
  ]),
  ...inFile('reconcile.ts', [
    ['the order of keys is a difference', `.sort()`, ``],
    ['secrets are shown', `if (isOpaque) return OPAQUE;`, ``],
    ['secrets in the middle of a value are shown', `(OPAQUE_KEYS.has(key) ? OPAQUE : inner)`, `inner`],
    ['passwords in URLs are shown', `text.replace(URL_PASSWORD, \`$1\${OPAQUE}@\`)`, `text`],
    ['the orphans of other files are taken', `files.has(spec.origin.file) && !names`, `!names`],
  ]),
];

function inFile(
  file: string,
  mistakes: readonly (readonly [name: string, from: string, to: string])[],
): Mutant[] {
  return mistakes.map(([name, from, to]) => ({ file, name, from, to }));
}

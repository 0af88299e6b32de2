/** Words what `upkeep up` would change. */
import type { SpecChange } from '../../protocol/index.js';
import { outColors, type Paint } from './color.js';

type Action = SpecChange['action'];

const WORDS: Readonly<Record<Action, readonly [sign: string, fate: string, paint: Paint]>> = {
  create: ['+', 'is created', outColors.green],
  recreate: ['~', 'changes, its instances are replaced', outColors.yellow],
  update: ['~', 'changes, its instances go on', outColors.yellow],
  start: ['>', 'is started', outColors.green],
  keep: [' ', 'stays as it is', outColors.dim],
  orphan: ['-', 'is no longer in the file, --prune deletes it', outColors.red],
};

export function formatDiff(changes: readonly SpecChange[]): string {
  if (changes.every(({ action }) => action === 'keep')) return 'Nothing would change';
  return changes.flatMap(formatChange).join('\n');
}

function formatChange({ service, action, changes }: SpecChange): string[] {
  const [sign, fate, paint] = WORDS[action];
  const keys = changes.map(({ key, from, to }) => {
    const values = from === null && to === null ? '' : `: ${from ?? 'nothing'} -> ${to ?? 'nothing'}`;
    return `    ${key}${values}`;
  });
  return [paint(`${sign} ${service} ${fate}`), ...keys];
}

/** Words who lives below instances, as `ps axjf` would draw it. */
import type { InstanceTree, TreeProcess } from '../../protocol/index.js';
import { formatBytes, formatDuration } from '../../util/index.js';
import { outColors } from './color.js';

const COLUMNS = ['PID', 'ROLE', 'CPU', 'MEMORY', 'AGE'] as const;
const LEFT = new Set<string>(['ROLE']);

export function formatTrees(trees: readonly InstanceTree[]): string {
  if (trees.length === 0) return 'No services';
  return trees.map(formatTree).join('\n\n');
}

function formatTree({ service, instance, attempt, status, processes }: InstanceTree): string {
  const head = `${outColors.bold(`${service}.${instance}`)} ${status}, attempt ${attempt}`;
  if (processes.length === 0) return `${head}\n  nothing runs`;
  const cells = processes.map(cellsOf);
  const widths = COLUMNS.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]!.length)));
  const pad = (row: readonly string[]): string =>
    row
      .map((cell, at) => (LEFT.has(COLUMNS[at]!) ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ');
  const lines = processes.map(
    (process, at) => `  ${pad(cells[at]!)}  ${wordCommand(process, processes, at)}`,
  );
  return [head, outColors.dim(`  ${pad(COLUMNS)}  COMMAND`), ...lines].join('\n');
}

function cellsOf({ pid, role, cpuPercent, rssBytes, ageMs }: TreeProcess): string[] {
  return [
    String(pid),
    role,
    `${cpuPercent}%`,
    formatBytes(rssBytes),
    formatDuration(Math.round(ageMs / 1000) * 1000),
  ];
}

function wordCommand(
  { depth, command, listens }: TreeProcess,
  all: readonly TreeProcess[],
  at: number,
): string {
  const branch = depth === 0 ? '' : `${bars(all, at)}${isLast(all, at, depth) ? '└─ ' : '├─ '}`;
  const serves = listens.length === 0 ? '' : outColors.green(`  ← serves ${listens.join(', ')}`);
  return `${outColors.dim(branch)}${command}${serves}`;
}

/** For each ancestor below the first: whether a sibling of it is still to come. */
function bars(all: readonly TreeProcess[], at: number): string {
  const { depth } = all[at]!;
  return Array.from({ length: depth - 1 }, (_, level) => (isLast(all, at, level + 1) ? '   ' : '│  ')).join(
    '',
  );
}

function isLast(all: readonly TreeProcess[], at: number, depth: number): boolean {
  const next = all.slice(at + 1).find((process) => process.depth <= depth);
  return next === undefined || next.depth < depth;
}

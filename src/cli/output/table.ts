/** Lays out rows in columns, within the width of the terminal where there is one. */
import type { Paint } from './color.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be shortened, down to this many characters, where the terminal is too narrow. */
  readonly minWidth?: number;
  /** Left out where no row has a value. */
  readonly isOptional?: true;
}

export interface Cell {
  readonly text: string;
  readonly paint?: Paint | undefined;
}
export type Row = readonly (Cell | string)[];

export interface TableOptions {
  /** @default Infinity Characters in a line. */
  readonly width?: number | undefined;
  readonly paintTitle?: Paint;
}

const GAP = '  ';

export function formatTable(
  columns: readonly Column[],
  rows: readonly Row[],
  options: TableOptions = {},
): string {
  const cells = rows.map((row) => row.map(toCell));
  const shown = columns.flatMap((column, index) =>
    column.isOptional && cells.every((row) => !row[index]?.text) ? [] : [{ column, index }],
  );
  const natural = shown.map(({ column, index }) =>
    Math.max(column.title.length, ...cells.map((row) => row[index]?.text.length ?? 0)),
  );
  const widths = fitWidths(
    natural,
    shown.map(({ column }) => column),
    options.width ?? Infinity,
  );
  const title: Row = columns.map((column) => ({ text: column.title, paint: options.paintTitle }));
  return [title.map(toCell), ...cells]
    .map((row) =>
      shown
        .map(({ column, index }, at) => formatCell(row[index]!, widths[at]!, column, at === shown.length - 1))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
}

/** Takes what is missing from the flexible columns, the last one first. */
function fitWidths(natural: readonly number[], columns: readonly Column[], width: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width;
  for (let at = widths.length - 1; at >= 0 && excess > 0; at--) {
    const { minWidth } = columns[at]!;
    if (minWidth === undefined) continue;
    const taken = Math.min(excess, Math.max(0, widths[at]! - minWidth));
    widths[at]! -= taken;
    excess -= taken;
  }
  return widths;
}

function formatCell({ text, paint }: Cell, width: number, { align }: Column, isLast: boolean): string {
  const fitting = truncate(text, width);
  const padding = ' '.repeat(width - fitting.length);
  const painted = paint && fitting ? paint(fitting) : fitting;
  if (align === 'right') return padding + painted;
  return isLast ? painted : painted + padding;
}

function toCell(cell: Cell | string): Cell {
  const { text, paint } = typeof cell === 'string' ? { text: cell, paint: undefined } : cell;
  return { text: onOneLine(text), paint };
}

/** Control characters of a program's own words would break the lines of the table or worse. */
function onOneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

export function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** The width of the terminal; undefined where output goes elsewhere and is never shortened. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

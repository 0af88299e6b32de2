/** What is wrong with a configuration, where it stands, and what to do about it. */
import { HIDDEN, redactText, redactUrls } from './redact.js';

export type Path = readonly (string | number)[];

/** A finding before it is located: the modules that judge know paths, not lines. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  /** Point at the key instead of the value, for example when the key itself is wrong. */
  readonly at?: 'key' | 'value';
  /** Holds only where the value is written out, not where an expression yields it. */
  readonly isAboutLiterals?: boolean;
  /** The fact, with the value, and the rule. */
  readonly message: string;
  /** The fix, one line. */
  readonly hint: string;
}

/** Collects what the rules find. */
export type Report = (problem: Omit<Problem, 'severity'> & { severity?: Problem['severity'] }) => void;

/** Lines and columns count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** For what is wrong with a file as a whole. */
export const START: Position = { line: 1, column: 1, length: 1 };

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** As it should be printed; null for the command line. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** `services.api.ports[0]`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
  /** The line of source with secrets masked, and how much of it is meant. */
  readonly frame: { readonly source: string; readonly length: number } | null;
}

export type Outcome<T> =
  | ({ readonly ok: true; readonly warnings: readonly Diagnostic[] } & T)
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export function formatPath(path: Path): string {
  return path.reduce<string>((text, item) => {
    if (typeof item === 'number') return `${text}[${item}]`;
    if (!/^[\w-]+$/.test(item)) return `${text}[${JSON.stringify(item)}]`;
    return text === '' ? item : `${text}.${item}`;
  }, '');
}

/** The file and its text, for positions and frames. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

export function toDiagnostic(problem: Problem, source: Source | null, position: Position | null): Diagnostic {
  const { severity, message, hint } = problem;
  return {
    severity,
    file: source?.file ?? null,
    line: position?.line ?? null,
    column: position?.column ?? null,
    path: formatPath(problem.path),
    message: redactUrls(message),
    hint,
    frame: source && position ? frameOf(source.text, position) : null,
  };
}

function frameOf(text: string, { line, column, length }: Position): Diagnostic['frame'] {
  const lines = text.split(/\r?\n/);
  const source = lines[line - 1] ?? '';
  if (source.trim() === '') return null;
  const masked = continuesSecret(lines, line - 1) ? HIDDEN : redactText(source);
  const rest = Math.max(1, masked.length - column + 1);
  return { source: masked, length: Math.min(length, rest) };
}

/** Whether the line belongs to a value of several lines that began at a secret key. */
function continuesSecret(lines: readonly string[], index: number): boolean {
  const hasKey = (text: string): boolean => /^[\s\-{]*["']?[\w.-]+["']?\s*[:=]/.test(text);
  const first = lines.slice(0, index + 1).findLastIndex(hasKey);
  return first >= 0 && first < index && redactText(lines[first] ?? '').endsWith(HIDDEN);
}

/** By position; what has none comes first. Says each thing once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const unique = new Map(
    diagnostics.map((each) => [`${each.line}:${each.column}:${each.path}:${each.message}`, each]),
  );
  return [...unique.values()].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

/** Where, what, the line with a squiggle, and the hint; plain text. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatDiagnostic).join('\n\n');
}

function formatDiagnostic({ severity, file, line, column, path, message, hint, frame }: Diagnostic): string {
  const place = [file, line, column].filter((part) => part !== null).join(':');
  const what = path === '' ? message : `${path}: ${message}`;
  const lines = [[place, severity === 'warning' ? 'warning:' : '', what].filter(Boolean).join(' ')];
  if (frame && line !== null && column !== null) {
    const gutter = `  ${line} | `;
    const source = frame.source.replaceAll('\t', ' ');
    lines.push(`${gutter}${source}`, `${' '.repeat(gutter.length + column - 1)}${'^'.repeat(frame.length)}`);
  }
  lines.push(`  hint: ${hint}`);
  return lines.join('\n');
}

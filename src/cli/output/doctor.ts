/** Words what the doctor found, the worst first. */
import {
  isHealthy,
  SEVERITIES,
  type Finding,
  type Report,
  type Severity,
  type Way,
} from '../../doctor/index.js';
import { outColors, type Paint } from './color.js';

const PAINTS: Readonly<Record<Severity, Paint>> = {
  error: outColors.red,
  warning: outColors.yellow,
  note: outColors.cyan,
};

const WAYS: Readonly<Record<Way, string>> = {
  'on-demand': 'on demand',
  'user-systemd': 'as a unit of the systemd of its user',
  'system-systemd': 'as a unit of the systemd of the machine',
};

export function formatReport(report: Report): string {
  const groups = SEVERITIES.flatMap((severity) =>
    formatGroup(
      severity,
      report.findings.filter((finding) => finding.severity === severity),
    ),
  );
  return [...groups, formatWay(report), ...formatMissing(report), ...formatUnseen(report)].join('\n');
}

export function formatFixed(fixed: readonly Finding[]): string[] {
  return fixed.map(({ id, command }) => `${outColors.green('fixed')} ${id}: ${command}`);
}

function formatGroup(severity: Severity, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const title = `${findings.length} ${severity}${findings.length === 1 ? '' : 's'}`;
  return [PAINTS[severity](outColors.bold(title)), ...findings.flatMap(formatFinding), ''];
}

function formatFinding({ id, fact, command, repair }: Finding): string[] {
  const hint = repair ? `${command}   (or: upkeep doctor --fix)` : command;
  return [`  ${outColors.bold(id)}: ${fact}`, `    ${outColors.dim('fix:')} ${hint}`];
}

function formatWay(report: Report): string {
  const way = `upkeep runs ${WAYS[report.way]} (home ${report.home})`;
  if (!isHealthy(report)) return way;
  const verdict = report.unseen.length > 0 ? 'Nothing is wrong with what could be looked at' : 'Healthy';
  return `${outColors.green(verdict)}: ${way}`;
}

function formatMissing({ missing }: Report): string[] {
  if (missing.length === 0) return [];
  const steps = missing.map(({ what, command }) => `${what} (${command})`);
  return [`  missing for production: ${steps.join('; ')}`];
}

function formatUnseen({ unseen }: Report): string[] {
  return unseen.length === 0 ? [] : [`  not looked at: ${unseen.join('; ')}`];
}

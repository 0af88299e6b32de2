/** Words why an attempt ended: the answer first, then what it rests on, then what to do. */
import type { ExplainedExit, KilledServer, StackFrame, Verdict, WhyView } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { outColors } from './color.js';
import { wordFrame } from './service-detail.js';
import { formatInstant } from './time.js';

const SHOWN_LINES = 12;

/** The newest first. */
export function formatWhy({ exits, killedServers }: WhyView): string {
  const parts = [
    ...exits.map((exit) => ({ at: exit.exit.at, text: formatExit(exit) })),
    ...killedServers.map((killed) => ({ at: killed.at, text: formatKilled(killed) })),
  ];
  parts.sort((a, b) => b.at.localeCompare(a.at));
  return parts.map(({ text }) => text).join('\n\n');
}

/** The attempt lives on. */
function formatKilled({ service, instance, attempt, at, pid, verdict }: KilledServer): string {
  return [
    `${outColors.bold(`${service}.${instance}`)} attempt ${attempt} lost the process that served, pid ${pid}, at ${formatInstant(at)}; its wrapper lived on`,
    ...verdictSection(verdict),
    ...hintSection(verdict),
  ].join('\n');
}

function formatExit(explained: ExplainedExit): string {
  const { service, instance, attempt, exit, verdict, pid } = explained;
  const process = pid === null ? '' : `, pid ${pid}`;
  return [
    `${outColors.bold(`${service}.${instance}`)} attempt ${attempt}${process} ended at ${formatInstant(exit.at)}, after ${formatDuration(exit.livedMs)}`,
    ...verdictSection(verdict),
    ...framesSection(exit.evidence?.frames ?? []),
    ...linesSection(exit.lastLines),
    ...hintSection(verdict),
  ].join('\n');
}

function verdictSection(verdict: Verdict): string[] {
  return [
    '',
    `  ${outColors.bold(paint(verdict)(sentence(verdict.summary)))}`,
    `  ${outColors.dim(`${verdict.cause}, ${wordConfidence(verdict)}`)}`,
    ...factSection('What says so', verdict.evidence),
    ...factSection('What could have said more', verdict.notAvailable),
  ];
}

function hintSection({ hint }: Verdict): string[] {
  return hint === null ? [] : ['', outColors.bold('What to do'), `  ${hint}`];
}

function wordConfidence({ confidence, by }: Verdict): string {
  switch (confidence) {
    case 'certain':
      return by?.place === 'unknown' && by.command === null
        ? 'certain, but of the sender only its name is left'
        : 'certain';
    case 'likely':
      return 'likely: nothing contradicts it, and nothing proves it';
    case 'unknown':
      return 'more is not known';
  }
}

function paint({ cause }: Verdict): (text: string) => string {
  return cause === 'asked' ? String : outColors.red;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function factSection(title: string, facts: Verdict['evidence']): string[] {
  if (facts.length === 0) return [];
  const width = Math.max(...facts.map(({ source }) => source.length)) + 2;
  const lines = facts.map(({ source, fact }) => `  ${outColors.dim(source.padEnd(width))}${fact}`);
  return ['', outColors.bold(title), ...lines];
}

function framesSection(frames: readonly StackFrame[]): string[] {
  if (frames.length === 0) return [];
  return [
    '',
    outColors.bold('Where it was'),
    ...frames.map((frame) => `  ${outColors.dim('at')} ${wordFrame(frame)}`),
  ];
}

function linesSection(lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(-SHOWN_LINES).map((line) => `  ${outColors.dim('|')} ${line}`);
  return ['', outColors.bold('Its last words'), ...shown];
}

/** Words why an attempt ended: the answer first, then what it rests on, then what to do. */
import type { ExplainedExit, StackFrame, Verdict } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { outColors } from './color.js';
import { wordFrame } from './service-detail.js';
import { formatInstant } from './time.js';

const SHOWN_LINES = 12;

export function formatWhy(explained: ExplainedExit): string {
  const { service, instance, attempt, exit, verdict, pid } = explained;
  const process = pid === null ? '' : `, pid ${pid}`;
  return [
    `${outColors.bold(`${service}.${instance}`)} attempt ${attempt}${process} ended at ${formatInstant(exit.at)}, after ${formatDuration(exit.livedMs)}`,
    '',
    `  ${outColors.bold(paint(verdict)(sentence(verdict.summary)))}`,
    `  ${outColors.dim(`${verdict.cause}, ${wordConfidence(verdict)}`)}`,
    ...factSection('What says so', verdict.evidence),
    ...factSection('What could have said more', verdict.notAvailable),
    ...framesSection(exit.evidence?.frames ?? []),
    ...linesSection(exit.lastLines),
    ...(verdict.hint === null ? [] : ['', outColors.bold('What to do'), `  ${verdict.hint}`]),
  ].join('\n');
}

function wordConfidence({ confidence, by }: Verdict): string {
  switch (confidence) {
    case 'certain':
      return by?.place === 'unknown' ? 'certain, but of the sender only its name is left' : 'certain';
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

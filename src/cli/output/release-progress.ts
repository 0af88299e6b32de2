/**
 * Shows on stderr how a release gets on: a line for each stage that is over, and one that moves for what is being done; in a file, where
 * nothing moves, that is written now and then.
 */
import type { WriteStream } from 'node:tty';
import type { ReleaseView } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';
import { errColors } from './color.js';
import { truncate } from './table.js';

export interface ReleaseProgress {
  show(view: ReleaseView): void;
  end(): void;
}

export const SILENT_RELEASE: ReleaseProgress = { show: () => {}, end: () => {} };

type StageView = ReleaseView['stages'][number];

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
/** How long a log may say nothing. */
const SILENT_MS = 10_000;
const ERASE_LINE = '\r\u001b[K';
const NAME_WIDTH = 10;
const BAR_WIDTH = 12;

export function createReleaseProgress(stream: WriteStream): ReleaseProgress {
  let told = 0;
  let latest: ReleaseView | undefined;
  let frame = 0;
  let reverted = false;
  const draw = (): void => {
    const now = latest && wordNow(latest);
    if (!now) return;
    const line = `${FRAMES[frame++ % FRAMES.length]} ${withBar(now)}`;
    stream.write(ERASE_LINE + truncate(line, stream.columns));
  };
  const tell = (): void => {
    const now = latest && wordNow(latest);
    if (now) stream.write(`… ${now}\n`);
  };
  const timer = stream.isTTY ? setInterval(draw, FRAME_MS) : setInterval(tell, SILENT_MS);
  const line = (text: string): void => {
    stream.write(`${stream.isTTY ? ERASE_LINE : ''}${text}\n`);
    timer.refresh();
  };
  return {
    show(view) {
      latest = view;
      const over = view.stages.filter(({ finishedAt }) => finishedAt !== null);
      const failedAt = view.failure ? view.stages.at(-1) : undefined;
      for (const stage of over.slice(told)) line(wordStage(stage, stage === failedAt));
      told = over.length;
      const words = view.status === 'reverting' && !reverted ? wordRevert(view) : undefined;
      if (words !== undefined) line(errColors.yellow(`↩ ${words}`));
      reverted ||= view.status === 'reverting';
    },
    end() {
      clearInterval(timer);
      if (frame > 0) stream.write(ERASE_LINE);
    },
  };
}

/** `✔ fetch      shop 1.4.2 (812 kB)  1.2s` */
export function wordStage({ stage, startedAt, finishedAt, text }: StageView, hasFailed: boolean): string {
  const took = formatDuration(Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt));
  const mark = hasFailed ? errColors.red('✖') : errColors.green('✔');
  const words = text === null ? '' : `${text}  `;
  return `${mark} ${stage.padEnd(NAME_WIDTH)} ${words}${errColors.dim(took)}`;
}

/** undefined: nothing had begun that could be seen. */
function wordRevert({ stages, previous }: ReleaseView): string | undefined {
  const hasCome = (stage: StageView['stage']): boolean => stages.some((each) => each.stage === stage);
  if (hasCome('bake')) return previous === null ? 'going back' : `putting release ${previous} back`;
  return hasCome('boot') ? 'sending the new instances away' : undefined;
}

function wordNow({ stage, status, progress }: ReleaseView): string {
  const what = status === 'reverting' ? 'revert' : (stage ?? 'waiting');
  return progress === null ? what : `${what.padEnd(NAME_WIDTH)} ${progress}`;
}

/** `fetching 12 of 48 MB`, and `fetching 25 % of the objects`, as sources word it, with `███░░░░░░░░░` before the figures. */
function withBar(text: string): string {
  const [, before, part, whole = '100'] =
    /^(.*\bfetching )(\d+) (?:of (\d+) [KMG]?B$|% of the objects$)/.exec(text) ?? [];
  if (before === undefined || Number(whole) === 0) return text;
  const filled = Math.floor(BAR_WIDTH * Math.min(1, Number(part) / Number(whole)));
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${before}${bar} ${text.slice(before.length)}`;
}

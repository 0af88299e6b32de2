/** Shows on stderr how an operation gets on, once it has taken long enough for somebody to wonder. */
import type { WriteStream } from 'node:tty';
import type { OperationStep, OperationView } from '../../protocol/index.js';
import { truncate } from './table.js';
import { wordNames } from './operation.js';

export interface Progress {
  show(operation: OperationView): void;
  end(): void;
}

export const SILENT: Progress = { show: () => {}, end: () => {} };

const SHOWN_AFTER_MS = 500;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const ERASE_LINE = '\r\u001b[K';

export function createProgress(stream: WriteStream): Progress {
  return stream.isTTY ? createSpinner(stream) : createLines(stream);
}

function createSpinner(stream: WriteStream): Progress {
  let latest: OperationView | undefined;
  let frame = 0;
  const timers: NodeJS.Timeout[] = [];
  const draw = () => {
    const line = `${FRAMES[frame++ % FRAMES.length]} ${wordProgress(latest!)}`;
    stream.write(ERASE_LINE + truncate(line, stream.columns));
  };
  const appear = () => timers.push(setInterval(draw, FRAME_MS));
  return {
    show(operation) {
      if (!latest) timers.push(setTimeout(appear, SHOWN_AFTER_MS));
      latest = operation;
    },
    end() {
      for (const timer of timers) clearTimeout(timer);
      if (frame > 0) stream.write(ERASE_LINE);
    },
  };
}

/** Without a terminal: a line at first, then one for each step that is over. */
function createLines(stream: WriteStream): Progress {
  const told = new Set<OperationStep['service']>();
  const progress = new Map<OperationStep['service'], string>();
  let latest: OperationView | undefined;
  let isShown = false;
  let timer: NodeJS.Timeout | undefined;
  const appear = () => {
    isShown = true;
    stream.write(`${wordProgress(latest!)}\n`);
  };
  const tell = ({ service, action, status, progress: text }: OperationStep) => {
    if (text !== undefined && progress.get(service) !== text) {
      progress.set(service, text);
      if (isShown) stream.write(`${action} ${service}: ${text}\n`);
    }
    if (told.has(service) || (status !== 'done' && status !== 'failed')) return;
    told.add(service);
    if (isShown) stream.write(`${action} ${service}: ${status}\n`);
  };
  return {
    show(operation) {
      timer ??= setTimeout(appear, SHOWN_AFTER_MS);
      latest = operation;
      operation.steps.forEach(tell);
    },
    end: () => clearTimeout(timer),
  };
}

/** `start: waiting for api and web (3 of 5 done)`. */
export function wordProgress({ kind, status, steps }: OperationView): string {
  if (status === 'queued') return `${kind}: waiting for earlier operations`;
  const open = steps.filter((step) => step.status === 'pending' || step.status === 'running');
  const current = open.some((step) => step.status === 'running')
    ? open.filter((step) => step.status === 'running')
    : open;
  const names = wordNames(current.map(({ service }) => service));
  const [only] = current;
  if (current.length === 1 && only?.progress !== undefined)
    return `${kind} ${only.service}: ${only.progress}`;
  return `${kind}: waiting for ${names} (${steps.length - open.length} of ${steps.length} done)`;
}

/** Shows on stderr how an operation gets on, once it has taken long enough for somebody to wonder. */
import type { WriteStream } from 'node:tty';
import type { OperationStep, OperationView } from '../../protocol/index.js';
import { terminalWidth, truncate } from './table.js';
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
  let timer: NodeJS.Timeout = setTimeout(() => {
    timer = setInterval(draw, FRAME_MS).unref();
  }, SHOWN_AFTER_MS).unref();
  const draw = () => {
    if (!latest) return;
    const line = `${FRAMES[frame++ % FRAMES.length]} ${wordProgress(latest)}`;
    stream.write(ERASE_LINE + truncate(line, terminalWidth() ?? stream.columns));
  };
  return {
    show: (operation) => (latest = operation),
    end() {
      clearTimeout(timer);
      if (frame > 0) stream.write(ERASE_LINE);
    },
  };
}

/** Without a terminal: a line at first, then one for each step that is over. */
function createLines(stream: WriteStream): Progress {
  const told = new Set<OperationStep['service']>();
  let latest: OperationView | undefined;
  let isShown = false;
  const tell = () => {
    for (const { service, action, status } of latest?.steps ?? []) {
      if (told.has(service) || (status !== 'done' && status !== 'failed')) continue;
      told.add(service);
      stream.write(`${action} ${service}: ${status}\n`);
    }
  };
  const timer = setTimeout(() => {
    isShown = true;
    if (latest) stream.write(`${wordProgress(latest)}\n`);
  }, SHOWN_AFTER_MS).unref();
  return {
    show(operation) {
      latest = operation;
      if (isShown) tell();
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
  return `${kind}: waiting for ${names} (${steps.length - open.length} of ${steps.length} done)`;
}

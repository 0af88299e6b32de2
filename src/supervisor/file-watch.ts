/** Watch for development: tells, after a quiet moment, that a file changed. chokidar is loaded only where asked for. */
import { relative } from 'node:path';
import type { WatchSpec } from '../protocol/index.js';

export interface FileWatch {
  close(): void;
}

interface WatchObserver {
  onChange(file: string): void;
  onError(message: string): void;
}

export function watchFiles(spec: WatchSpec, cwd: string, observer: WatchObserver): FileWatch {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  let close = (): void => undefined;
  const begin = async (): Promise<void> => {
    const { watch } = await import('chokidar');
    if (isOver) return;
    const isIgnored = (path: string): boolean => {
      return relative(cwd, path)
        .split('/')
        .some((part) => spec.ignore.includes(part));
    };
    const watcher = watch([...spec.paths], { ignoreInitial: true, ignored: isIgnored });
    watcher.on('all', (_event, path) => {
      clearTimeout(timer);
      timer = setTimeout(() => observer.onChange(relative(cwd, path)), spec.delayMs);
    });
    watcher.on('error', (error) => observer.onError(`watch: ${String(error)}`));
    close = () => void watcher.close();
  };
  begin().catch((error: unknown) => observer.onError(`watch: ${String(error)}`));
  return {
    close: () => {
      isOver = true;
      clearTimeout(timer);
      close();
    },
  };
}

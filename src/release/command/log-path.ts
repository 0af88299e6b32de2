import { basename, join } from 'node:path';
import { LOGS } from '../folder/names.js';
import type { StageJob } from '../job.js';

/** Where what commands of a release print is kept: `<folder>/.logs/<release>.<what>.log`. */
export function logPath({ id, spec, folder }: StageJob, what: string): string {
  return join(spec.folder, LOGS, `${folder === null ? id : basename(folder)}.${what}.log`);
}

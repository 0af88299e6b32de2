/** What both acts are given, and what both say. */
import { join } from 'node:path';
import type { Finding } from '../../../src/doctor/index.js';
import type { Runtime } from './runtimes.js';

export interface Cast {
  /** Of each service, in each scene. */
  readonly requests: number;
  readonly ten: Runtime;
  readonly seven: Runtime;
  /** For the daemon of upkeep alone. */
  readonly own: Runtime;
  /** The folder in which PM2 is installed. */
  readonly pm2: string;
}

const APPS = join(import.meta.dirname, 'apps');
export const SERVER = join(APPS, 'server.cjs');
export const PATIENT_SERVER = join(APPS, 'patient-server.cjs');
export const WORKER = join(APPS, 'worker.cjs');

/** The arguments of an act: what it is given, and the folder of its machine. */
export function readArguments(): { cast: Cast; folder: string } {
  const [cast = '', folder = ''] = process.argv.slice(2);
  return { cast: JSON.parse(cast) as Cast, folder };
}

/** `2 × runtime-gone, boot-unit-broken` */
export function wordFindings(findings: readonly Finding[]): string {
  const ids = new Set(findings.map(({ id }) => id));
  const words = [...ids].map((id) => {
    const count = findings.filter((finding) => finding.id === id).length;
    return count > 1 ? `${count} × ${id}` : id;
  });
  return words.length > 0 ? words.join(', ') : 'nothing';
}

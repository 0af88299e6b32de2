/**
 * Twenty services: Node, Python and shell, with one instance and with two; five of them log, one crashes, four are made
 * to end.
 */
import { join } from 'node:path';
import type { ServiceConfig } from '../../../src/config/index.js';
import { freePort } from '../../../test/rig/index.js';

const APPS = join(import.meta.dirname, 'apps');
const NUMBERS = join(import.meta.dirname, '../../logs/apps');
const python = (file: string): string[] => ['python3', join(APPS, file)];
const node = (file: string): ServiceConfig => ({ script: join(APPS, file) });

/** Ends with code 3 every two seconds. */
export const CRASHER = 'crasher';
export const VICTIMS = ['victim-1', 'victim-2', 'victim-3', 'victim-4'];

/** Print 1,000 numbered lines a second. */
export const LOGGERS: Readonly<Record<string, ServiceConfig & { readonly instances: number }>> = {
  'logger-1': { command: ['node', join(NUMBERS, 'numbers.js')], instances: 1 },
  'logger-2': { command: ['node', join(NUMBERS, 'numbers.js')], instances: 2 },
  'logger-3': { command: ['python3', join(NUMBERS, 'numbers.py')], instances: 1 },
  'logger-4': { command: ['sh', join(NUMBERS, 'numbers.sh')], instances: 1 },
  'logger-5': { command: ['sh', join(NUMBERS, 'numbers.sh')], instances: 2 },
};

export interface Cast {
  readonly services: Record<string, ServiceConfig>;
  /** Of those that answer requests. */
  readonly ports: readonly number[];
}

export async function createCast(): Promise<Cast> {
  const services: Record<string, ServiceConfig> = {};
  const ports: number[] = [];
  const serve = async (name: string, config: ServiceConfig): Promise<void> => {
    const port = await freePort();
    ports.push(port);
    services[name] = { ...config, port, env: { PORT: port } };
  };
  for (const index of [1, 2, 3, 4]) await serve(`node-${index}`, node('server.js'));
  for (const index of [5, 6]) await serve(`node-${index}`, { ...node('server.js'), instances: 2 });
  for (const index of [1, 2, 3]) await serve(`python-${index}`, { command: python('server.py') });
  services['shell'] = { command: 'while :; do sleep 1; done', instances: 2 };
  Object.assign(services, LOGGERS);
  for (const [index, name] of VICTIMS.entries())
    services[name] = {
      ...(index % 2 === 0 ? node('victim.js') : { command: python('victim.py') }),
      restart: { delay: '1ms', maxDelay: '1ms', limit: 1_000_000 },
    };
  services[CRASHER] = {
    command: 'sleep 2; exit 3',
    restart: { delay: '1ms', maxDelay: '1ms', limit: 1_000_000 },
  };
  return { services, ports };
}

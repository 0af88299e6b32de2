/** An application of others, as this proof releases it: where its versions come from, and how it shows which one serves. */
import type { ServiceConfig } from '../../../src/config/index.js';
import type { ClientDescription } from '../../port/load/index.js';
import type { VersionPlace } from '../support/rate-load.js';

export interface Application {
  /** Of its group, and of the only service in that. */
  readonly name: string;
  readonly port: number;
  readonly instances: number;
  /** As they are asked for, oldest first. */
  readonly versions: readonly [string, string, string];
  /** As in a configuration file. */
  readonly service: ServiceConfig;
  readonly group: Readonly<Record<string, unknown>>;
  /** Asked for at a steady rate, in turn. */
  readonly paths: readonly string[];
  /** Where an answer says by which version it is. */
  readonly place: VersionPlace;
  /** What stands there. */
  readonly says: (version: string) => string;
  /** Whose answers are checked to the last byte, beside the steady ones. */
  readonly clients: readonly ClientDescription[];
  /** What has to be done once before there is something to ask for. */
  readonly furnish?: () => Promise<void>;
}

/** npm takes minutes on a machine that has something else to do. */
export const INSTALL_TIMEOUT = '30m';

/** Short. Another version may be slower, and so may the machine of a proof: that is told, and what is worse otherwise refuses the release. */
export function verifyBy(smoke: string, instances: number): Readonly<Record<string, unknown>> {
  const canary = instances > 1 ? { instances: 1, for: '2s' } : false;
  return {
    smoke,
    canary,
    stable: '1s',
    for: '5s',
    bake: '2s',
    minRequests: 50,
    hold: '30s',
    latency: 'warn',
  };
}

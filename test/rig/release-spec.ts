/** A description of a release as the engine takes it, for tests that need no configuration file. */
import { BARE_SPEC } from '../../src/core/index.js';
import type { ReleaseSpec, ServiceSpec } from '../../src/protocol/index.js';

export interface MadeUpSpec {
  readonly name?: string;
  readonly folder: string;
  readonly services?: readonly ServiceSpec[];
}

export function releaseSpec({
  name = 'shop',
  folder,
  services,
  ...more
}: MadeUpSpec & Partial<ReleaseSpec>): ReleaseSpec {
  return {
    name,
    services: [...(services ?? [{ ...BARE_SPEC, name, release: { group: name, folder } }])],
    folder,
    source: { type: 'file', path: null },
    root: null,
    signature: null,
    install: { by: 'none', timeoutMs: 60_000 },
    build: null,
    linked: { files: [], folders: [] },
    contract: null,
    policy: null,
    node: null,
    requires: [],
    hooks: {
      afterStage: [],
      afterInstall: [],
      beforeSwitch: [],
      afterSwitch: [],
      afterRelease: [],
      onFailure: [],
    },
    verify: {
      smoke: [],
      stableMs: 0,
      canary: null,
      forMs: 0,
      bakeMs: 0,
      minRequests: 200,
      alpha: 0.01,
      errorRate: 'refuse',
      latency: 'refuse',
      newErrors: 'refuse',
      memory: 'refuse',
      noData: 'smoke',
      holdMs: 0,
    },
    traffic: null,
    keep: 3,
    ...more,
  };
}

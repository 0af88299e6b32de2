/** One kind of hostile child: how it is provoked, and what upkeep does about it. */
import assert from 'node:assert/strict';
import type { ServiceConfig } from '../../../src/config/index.js';
import type { ExitView, OperationView, UpkeepEvent } from '../../../src/protocol/index.js';
import {
  childrenByParent,
  descendants,
  readEnvironment,
  readProcess,
  readProcessTable,
} from '../../../src/system/index.js';
import type { ProcessRow } from '../../../src/system/index.js';
import type { Rig } from '../../../test/rig/index.js';

export interface Case {
  /** What the child does, and the name of its service: `ignores SIGTERM`. */
  readonly child: string;
  run(stage: CaseStage): Promise<Finding>;
}

export interface Finding {
  /** What upkeep did. */
  readonly outcome: string;
  /** What it said, literally. */
  readonly message: string;
}

/** Restarts quickly, so that a crash loop is reached within a second, and left within another. */
export const HASTY = { delay: '20ms', maxDelay: '50ms', limit: 5, retry: '400ms' } as const;

export class CaseStage {
  readonly rig: Rig;
  readonly service: string;
  /** From 0 to 1: how much of the long cases is done. */
  readonly scale: number;
  /** Everything that was ever seen in the trees of the service. */
  readonly seen = new Map<number, ProcessRow>();

  constructor(rig: Rig, service: string, scale: number) {
    this.rig = rig;
    this.service = service;
    this.scale = scale;
  }

  up(config: ServiceConfig): Promise<OperationView> {
    return this.rig.up({ [this.service]: config });
  }

  restart(): Promise<OperationView> {
    return this.rig.request({ kind: 'restart', services: [this.service] });
  }

  /** Stops it, and answers how long that took and how its process ended. */
  async stop(): Promise<{ exit: ExitView; tookMs: number }> {
    this.notice();
    const startedAt = performance.now();
    const { status } = await this.rig.request({ kind: 'stop', services: [this.service] });
    assert.equal(status, 'succeeded');
    const { exit } = await this.rig.instance(this.service);
    return { exit: exit!, tookMs: performance.now() - startedAt };
  }

  delete(): Promise<OperationView> {
    this.notice();
    return this.rig.request({ kind: 'delete', services: [this.service] });
  }

  /** Remembers who lives in the tree of the service at this moment. */
  notice(): readonly ProcessRow[] {
    const roots = this.rig.processes().filter(({ name }) => name === 'upkeep-shim');
    const mine = roots.filter(({ pid }) => readEnvironment(pid)?.UPKEEP_SERVICE === this.service);
    const children = childrenByParent(readProcessTable());
    const rows = mine.flatMap(({ pid }) => descendants(children, pid));
    for (const row of rows) this.seen.set(row.pid, row);
    return rows;
  }

  /** Who still lives of those that were ever seen, or that know the name of the service. */
  leftovers(): number[] {
    const remembered = [...this.seen.values()].filter(
      ({ pid, startTicks }) => readProcess(pid)?.startTicks === startTicks,
    );
    const named = this.rig
      .processes()
      .filter(({ pid }) => readEnvironment(pid)?.UPKEEP_SERVICE === this.service);
    return [...new Set([...remembered, ...named].map(({ pid }) => pid))];
  }

  /** The last one of its type. */
  async event<T extends UpkeepEvent['type']>(type: T): Promise<Extract<UpkeepEvent, { type: T }>> {
    const found = (await this.rig.events(this.service)).findLast((event) => event.type === type);
    assert.ok(found, `there is an event ${type}`);
    return found as Extract<UpkeepEvent, { type: T }>;
  }
}

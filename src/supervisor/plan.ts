/** Turns a request into steps: which services, in which order, what is done to each. Refuses what cannot be meant. */
import { reconcile, startOrder, withDependencies, withFollowers, type Existing } from '../core/index.js';
import {
  UpkeepError,
  type OperationStep,
  type ServiceSelection,
  type ServiceSpec,
} from '../protocol/index.js';
import { mostSimilar } from '../util/index.js';
import type { AcceptedRequest } from './operation.js';

export interface PlannedStep {
  readonly service: string;
  readonly action: OperationStep['action'];
  /** The specification to create or to change to. */
  readonly spec?: ServiceSpec;
}

export type ExistingServices = ReadonlyMap<string, Existing>;

/** An operation that was accepted and will be done. */
export interface Ahead {
  readonly request: AcceptedRequest;
  readonly steps: readonly PlannedStep[];
}

/**
 * What will be there when everything accepted so far is done: a request means that, not the moment that it happens to
 * come in. Each step sets what it changes, so it does not matter how much of it is done already.
 */
export function foresee(existing: ExistingServices, ahead: readonly Ahead[]): ExistingServices {
  const services = new Map<string, Existing>(existing);
  for (const { request, steps } of ahead) {
    for (const { service, action, spec } of steps) {
      const known = services.get(service);
      if (action === 'delete') services.delete(service);
      else if (spec) services.set(service, { spec, isWanted: true });
      else if (known) services.set(service, foreseeStep(known, action, request));
    }
  }
  return services;
}

function foreseeStep(known: Existing, action: PlannedStep['action'], request: AcceptedRequest): Existing {
  if (request.kind === 'scale')
    return { spec: { ...known.spec, instances: request.instances }, isWanted: known.isWanted };
  return action === 'signal' ? known : { spec: known.spec, isWanted: action !== 'stop' };
}

export function planSteps(request: AcceptedRequest, existing: ExistingServices): PlannedStep[] {
  switch (request.kind) {
    case 'up':
      return planUp(request, existing);
    case 'release':
      return request.services.map((spec) => ({ service: spec.name, action: 'release', spec }));
    case 'start':
      return planStart(select(request.services, existing, 'start'), existing);
    case 'restart': {
      const chosen = select(request.services, existing, 'restart');
      return withFollowers(chosen, specs(existing)).map((service) => ({ service, action: 'restart' }));
    }
    case 'reload':
    case 'stop':
    case 'delete':
      return select(request.services, existing, request.kind).map((service) => ({
        service,
        action: request.kind,
      }));
    case 'scale':
    case 'signal':
      requireService(request.service, existing, request.kind);
      return [{ service: request.service, action: request.kind }];
  }
}

function planUp(
  request: Extract<AcceptedRequest, { kind: 'up' }>,
  existing: ExistingServices,
): PlannedStep[] {
  const wanted = new Map(request.services.map((spec) => [spec.name, spec]));
  for (const spec of request.services) {
    if (request.create && existing.has(spec.name)) throw nameTaken(spec.name);
    for (const name of Object.keys(spec.dependsOn)) {
      if (!wanted.has(name) && !existing.has(name))
        throw unknownDependency(spec.name, name, [...wanted.keys(), ...existing.keys()]);
    }
  }
  const order = startOrder(request.services);
  const rows = reconcile(
    order.map((name) => wanted.get(name)!),
    existing,
  );
  return rows.flatMap(({ service, action }): PlannedStep[] => {
    if (action === 'orphan') return request.prune ? [{ service, action: 'delete' }] : [];
    return [{ service, action: actionOf(action, existing.get(service)), spec: wanted.get(service)! }];
  });
}

/** What runs is replaced without a gap. */
function actionOf(action: keyof typeof ACTIONS, existing: Existing | undefined): PlannedStep['action'] {
  return action === 'recreate' && existing?.isWanted ? 'reload' : ACTIONS[action];
}

const ACTIONS = {
  create: 'create',
  update: 'update',
  recreate: 'restart',
  start: 'start',
  keep: 'keep',
  orphan: 'delete',
} as const;

/** What is to be done to one service so that it is as described. */
export function planSpec(spec: ServiceSpec, existing: ExistingServices): PlannedStep['action'] {
  return actionOf(reconcile([spec], existing)[0]!.action, existing.get(spec.name));
}

/** Whatever the chosen services depend on is started first, where it does not run. */
function planStart(chosen: readonly string[], existing: ExistingServices): PlannedStep[] {
  const isStopped = ({ name }: ServiceSpec): boolean => existing.get(name)?.isWanted === false;
  return withDependencies(chosen, specs(existing), isStopped).map((service) => ({
    service,
    action: 'start',
  }));
}

function select(selection: ServiceSelection, existing: ExistingServices, verb: string): string[] {
  if (selection === 'all') return [...existing.keys()];
  for (const name of selection) requireService(name, existing, verb);
  return [...new Set(selection)];
}

function specs(existing: ExistingServices): ServiceSpec[] {
  return [...existing.values()].map(({ spec }) => spec);
}

export function requireService(
  name: string,
  existing: { has(name: string): boolean; keys(): Iterable<string> },
  verb: string,
): void {
  if (existing.has(name)) return;
  const similar = mostSimilar(name, existing.keys());
  throw new UpkeepError('service-not-found', `Cannot ${verb} "${name}": there is no such service`, {
    hint: similar === undefined ? 'see what there is: upkeep list' : `did you mean "${similar}"?`,
  });
}

function nameTaken(name: string): UpkeepError {
  return new UpkeepError('service-exists', `Cannot start "${name}": a service of this name exists already`, {
    hint: `choose another with --name, or replace it: upkeep delete ${name}`,
  });
}

function unknownDependency(service: string, name: string, known: readonly string[]): UpkeepError {
  const similar = mostSimilar(name, known);
  return new UpkeepError(
    'service-not-found',
    `Cannot start "${service}": it depends on "${name}", and there is no such service`,
    {
      hint:
        similar === undefined
          ? `define "${name}", or remove it from dependsOn`
          : `did you mean "${similar}"?`,
    },
  );
}

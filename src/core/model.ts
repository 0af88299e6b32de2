/**
 * What a daemon has to lead to: from the operations, in the order of their acceptance, to the services that are there
 * in the end, whatever fails, dies or is begun anew in between. No part of the daemon: the specification that it is
 * proved against (proofs/state/histories-match-the-model.ts).
 *
 * It shares nothing with `reconcile`, the queue or the planning on purpose. Those decide how to get there: what is
 * replaced, what may be kept, what runs at the same time. The model says where, one operation after the other, as if
 * each took no time; a mistake of theirs must not be repeated in what they are measured by.
 */
import type { OperationRequest, ServiceSelection, ServiceSpec } from '../protocol/index.js';
import { unreachable } from '../util/index.js';

export interface ModelService {
  readonly spec: ServiceSpec;
  readonly isWanted: boolean;
}

export type Model = ReadonlyMap<string, ModelService>;

export const EMPTY_MODEL: Model = new Map();

/**
 * The same operation, applied again, changes nothing: a daemon may do again what its predecessor did. `refused`: services
 * whose new description did not prove itself, so that what ran before goes on.
 */
export function applyOperation(
  model: Model,
  request: OperationRequest,
  refused: ReadonlySet<string> = new Set(),
): Model {
  switch (request.kind) {
    case 'up': {
      const specs = request.services.filter(({ name }) => !refused.has(name));
      return describe(request.prune ? withoutOrphans(model, request.services) : model, specs);
    }
    case 'start':
      return want(model, withDependencies(model, select(model, request.services)), true);
    case 'reload':
      return want(model, select(model, request.services), true);
    case 'restart':
      return want(model, withFollowers(model, select(model, request.services)), true);
    case 'stop':
      return want(model, select(model, request.services), false);
    case 'delete':
      return without(model, select(model, request.services));
    case 'scale':
      return scale(model, request.service, request.instances);
    case 'signal':
      return model;
    default:
      return unreachable(request);
  }
}

function describe(model: Model, specs: readonly ServiceSpec[]): Model {
  return new Map([...model, ...specs.map((spec) => [spec.name, { spec, isWanted: true }] as const)]);
}

/** What came from the same files and is no longer in them. */
function withoutOrphans(model: Model, specs: readonly ServiceSpec[]): Model {
  const names = new Set(specs.map(({ name }) => name));
  const files = new Set(specs.flatMap(({ origin }) => origin.file ?? []));
  const orphans = [...model.values()].filter(
    ({ spec }) => !names.has(spec.name) && spec.origin.file !== null && files.has(spec.origin.file),
  );
  return without(model, new Set(orphans.map(({ spec }) => spec.name)));
}

function want(model: Model, names: ReadonlySet<string>, isWanted: boolean): Model {
  return new Map(
    [...model].map(([name, service]) => [name, names.has(name) ? { ...service, isWanted } : service]),
  );
}

function without(model: Model, names: ReadonlySet<string>): Model {
  return new Map([...model].filter(([name]) => !names.has(name)));
}

function scale(model: Model, name: string, instances: number): Model {
  const service = model.get(name);
  return service ? new Map([...model, [name, { ...service, spec: { ...service.spec, instances } }]]) : model;
}

function select(model: Model, selection: ServiceSelection): ReadonlySet<string> {
  return new Set(selection === 'all' ? model.keys() : selection);
}

/** Whatever a service depends on and is not wanted starts with it. */
function withDependencies(model: Model, names: ReadonlySet<string>): ReadonlySet<string> {
  return closure(names, (name) =>
    Object.keys(model.get(name)?.spec.dependsOn ?? {}).filter(
      (other) => model.get(other)?.isWanted === false,
    ),
  );
}

/** Whatever wants to be restarted with a service is. */
function withFollowers(model: Model, names: ReadonlySet<string>): ReadonlySet<string> {
  const followers = [...model.values()].filter(({ spec }) => spec.restartWithDependencies);
  return closure(names, (name) =>
    followers.filter(({ spec }) => Object.hasOwn(spec.dependsOn, name)).map(({ spec }) => spec.name),
  );
}

function closure(names: ReadonlySet<string>, next: (name: string) => readonly string[]): ReadonlySet<string> {
  const all = new Set(names);
  // A set that grows is walked to its new end.
  for (const name of all) for (const further of next(name)) all.add(further);
  return all;
}

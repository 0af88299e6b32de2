/**
 * Releases by a program. One that is managed may ask for its own: the daemon does the work, so it goes on when the release replaces
 * who asked; the new instance reads what came out with `lastRelease`. Instances that ask for the same at once cause one release.
 */
import { connectOnly, hasEndedMidway, homeFrom, type Client } from '../client/index.js';
import { UpkeepError, type ReleaseTarget, type ReleaseView } from '../protocol/index.js';

export type ReleaseResult = ReleaseView;

export interface ReleaseOptions extends ReleaseTarget {
  /**
   * The group, or one of its services.
   * @default the service that this program is an instance of
   */
  readonly group?: string;
  /**
   * Resolve when it has ended, not when it is accepted. Who is replaced by it does not live to see that.
   * @default true
   */
  readonly wait?: boolean;
  /** Also where the same build serves already. @default false */
  readonly force?: boolean;
  /** Of the daemon. @default UPKEEP_HOME, or ~/.upkeep */
  readonly home?: string;
}

/**
 * Asks for a release, by the description that the home knows of the group (from `upkeep release`). Joins one that is
 * the same. Rejects with the code `release-locked` where another one is being made, `release-not-found` where the group is unknown,
 * `daemon-unreachable` where no daemon runs.
 */
export async function release(options: ReleaseOptions = {}): Promise<ReleaseResult> {
  const { group = ownService('release'), wait = true, force = false, home, ...target } = options;
  const client = clientOf(home);
  const body = { group, target, waive: [], plan: false, force };
  return follow(client, client.stream('requestRelease', { body }), wait);
}

/** Goes back to the release that served well before, or to the one that is named by number or version. Joins one that does the same. */
export async function rollback(
  options: Pick<ReleaseOptions, 'group' | 'wait' | 'home'> & { readonly to?: string } = {},
): Promise<ReleaseResult> {
  const { group = ownService('rollback'), wait = true, home, to } = options;
  const client = clientOf(home);
  return follow(
    client,
    client.stream('rollback', { body: { group, ...(to === undefined ? {} : { to }) } }),
    wait,
  );
}

/**
 * The release of the group that was asked for last; undefined: none was. With `wait`, resolves when it has ended: what an instance asks
 * that was started by it.
 */
export async function lastRelease(
  options: Pick<ReleaseOptions, 'group' | 'wait' | 'home'> = {},
): Promise<ReleaseResult | undefined> {
  const { group = ownService('lastRelease'), wait = false, home } = options;
  const client = clientOf(home);
  const groups = await client.call('releases', { query: { limit: '1' } });
  const found =
    groups.find((each) => each.group === group) ?? groups.find(({ services }) => services.includes(group));
  const last = found?.releases[0];
  return last && wait ? untilEnded(client, last) : last;
}

async function follow(
  client: Client,
  views: AsyncIterable<ReleaseView>,
  wait: boolean,
): Promise<ReleaseView> {
  let last: ReleaseView | undefined;
  try {
    for await (const view of views) {
      last = view;
      if (!wait) return view;
    }
  } catch (error) {
    if (!last || !hasEndedMidway(error)) throw error;
  }
  if (!last)
    throw new UpkeepError('interrupted', 'Cannot tell how the release gets on: the daemon has ended');
  return untilEnded(client, last);
}

async function untilEnded(client: Client, view: ReleaseView): Promise<ReleaseView> {
  if (view.finishedAt !== null) return view;
  return client.call('release', { params: { id: view.id }, query: { wait: '1' }, timeoutMs: 0 });
}

function clientOf(home: string | undefined): Client {
  return connectOnly(homeFrom(home === undefined ? process.env : { ...process.env, UPKEEP_HOME: home }));
}

function ownService(name: string): string {
  const service = process.env['UPKEEP_SERVICE'];
  if (service) return service;
  throw new UpkeepError('usage', `Cannot call ${name}(): this program is not an instance of a service`, {
    hint: `say which group: ${name}({ group: 'shop' })`,
  });
}

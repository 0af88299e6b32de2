/** Restarts of the cast, each service one after the other, in the ways that it is meant to take. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { until, type Rig } from '../../../test/rig/index.js';
import type { Client } from '../../../src/client/index.js';
import type { OperationRequest, OperationView } from '../../../src/protocol/index.js';
import { SIGNALS, type Part, type Way } from './cast.js';
import type { News } from './news.js';

export interface RestartsOptions {
  readonly client: Client;
  readonly news: News;
  /** Whether another one may begin now. */
  readonly mayGoOn: () => boolean;
  readonly isOver: () => boolean;
}

export async function restartAgainAndAgain(
  rig: Rig,
  { name, ways }: Part,
  options: RestartsOptions,
): Promise<void> {
  if (ways.length === 0) return;
  for (let count = 0; ; count++) {
    await until(`${name} may be restarted`, () => options.mayGoOn() || options.isOver(), Infinity);
    if (options.isOver()) return;
    await restart(rig, name, ways[count % ways.length]!, count, options);
  }
}

async function restart(
  rig: Rig,
  name: string,
  way: Way,
  count: number,
  { client, news }: RestartsOptions,
): Promise<void> {
  const { attempt, pid } = await news.running(name, 0);
  switch (way) {
    case 'kill':
      return (kill(pid, SIGNALS[count % SIGNALS.length]!), void (await news.running(name, attempt)));
    case 'abandon':
      await abandon(rig, { kind: 'restart', services: [name] });
      return ask(client, { kind: 'restart', services: [name] });
    case 'restart':
    case 'reload':
      return ask(client, { kind: way, services: [name] });
  }
}

async function ask(client: Client, body: OperationRequest): Promise<void> {
  let last: OperationView | undefined;
  for await (const view of client.stream('request', { body })) last = view;
  if (last?.status !== 'succeeded') throw new Error(`Not done: ${JSON.stringify(last)}`);
}

/** Nobody is there any more when it is accepted. */
async function abandon(rig: Rig, request: OperationRequest): Promise<void> {
  const socket = connect(rig.home.socket);
  const body = JSON.stringify(request);
  const head = `POST /v1/operations HTTP/1.1\r\nhost: upkeep\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(head + body, () => socket.destroy());
  await once(socket, 'close');
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // a command has just restarted it
  }
}

/**
 * The load client of these proofs sees: every planted fault of a service is counted as what it is, and nothing else is.
 *
 * What it does not see, the other proofs of this folder could not have seen either.
 */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '../../test/rig/index.js';
import { createCertificate } from './support/install.js';
import { Load, total } from './load/index.js';
import { FAULTS, type Fault } from './load-sees/faults.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const ms = Math.max(600, 1500 * Number(values.scale));
const TIMEOUT_MS = 1000;

const folder = await mkdtemp(join(tmpdir(), 'upkeep-load-'));
const { key, cert } = await createCertificate(folder);
const tls = { key: await readFile(key), cert: await readFile(cert) };

let unseen = 0;
for (const fault of FAULTS.filter(({ that }) => that.includes(values.only))) {
  const { words, flaw } = await provoke(fault);
  if (flaw !== undefined) unseen++;
  console.log(`${flaw === undefined ? 'seen  ' : 'UNSEEN'}  a service that ${fault.that}: ${flaw ?? words}`);
}
await rm(folder, { recursive: true });
console.log(`\n${FAULTS.length} services, ${unseen} of them not counted as what they are`);
if (unseen > 0) process.exitCode = 1;

async function provoke(fault: Fault): Promise<{ words: string; flaw: string | undefined }> {
  const server = createFaulty(fault);
  const sockets = new Set<Socket>();
  server?.on('connection', (socket: Socket) => sockets.add(socket));
  if (server) await once(server.listen(0, '127.0.0.1'), 'listening');
  const port = server ? (server.address() as AddressInfo).port : await freePort();
  await using load = await Load.start({ port, clients: [fault.client], timeoutMs: TIMEOUT_MS });
  await sleep(ms);
  const report = await load.stop();
  server?.close();
  for (const socket of sockets) socket.destroy();
  const { started, succeeded, cut } = total(report.clients);
  const failures = Object.values(report.clients).flatMap((client) =>
    Object.entries(client.failures).map(([kind, count]) => `${count} ${kind}`),
  );
  const words = [
    `${started} asked`,
    `${succeeded} answered`,
    ...failures,
    ...(cut > 0 ? [`${cut} cut`] : []),
  ];
  return { words: words.join(', '), flaw: fault.flaw(report) };
}

function createFaulty({ serve, upgrade, serveStream }: Fault): Server | undefined {
  if (serveStream) {
    return createSecureServer(tls, (request, response) =>
      serveStream(new URL(request.url, 'https://localhost'), response),
    );
  }
  if (!serve && !upgrade) return undefined;
  const server = createServer(serve);
  if (upgrade) server.on('upgrade', (request, socket: Socket) => upgrade(request, socket));
  return server;
}

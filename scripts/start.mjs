/**
 * `npm start`: from a fresh clone to a small shop that upkeep keeps running, in a home of its own (.demo/), so that
 * no other daemon of this machine is touched. It ends; the services go on. A second time it changes nothing.
 */
import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, ROOT, run, runQuietly } from './setup.mjs';

const CONFIG = 'examples/shop/upkeep.config.ts';
const HOME = join(ROOT, '.demo');
const PORT = Number(process.env.SHOP_PORT ?? 4870);
const SHOP_URL = `http://127.0.0.1:${PORT}`;
const ANSWER_MS = 20_000;

process.env.UPKEEP_HOME = HOME;

async function start() {
  ensureBuilt();
  const taken = await takenPorts();
  if (taken.length > 0) return sayTaken(taken);

  console.log(`$ upkeep up ${CONFIG}`);
  const code = run(process.execPath, ['bin/upkeep.js', 'up', CONFIG], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (code !== 0) return code;
  const products = await firstAnswer(`${SHOP_URL}/api/products`);
  if (!products) return sayNoAnswer();

  console.log('\n$ upkeep list');
  upkeep('list');
  console.log(`\n$ curl ${SHOP_URL}/api/products\n${products}`);
  console.log(whatNext((await services()).find(({ name }) => name === 'api').instances[0].pid));
  return 0;
}

function whatNext(apiPid) {
  return `
The shop is open at ${SHOP_URL} and stays open: nothing that you see here belongs to this shell.

  export UPKEEP_HOME=${HOME} PATH=${join(ROOT, 'node_modules/.bin')}:$PATH

  upkeep list                     what runs
  upkeep logs --follow            what the services say
  upkeep restart api              the workers and the web server stay
  kill -9 ${String(apiPid).padEnd(24)}end the api the hard way; then: upkeep show api
  cd examples/shop && upkeep down close the shop`;
}

function upkeep(...args) {
  return run(process.execPath, ['bin/upkeep.js', ...args]);
}

/** Ports that the shop needs and somebody else holds. */
async function takenPorts() {
  const ours = await portsOfTheShop();
  const needed = [PORT, PORT + 1].filter((port) => !ours.includes(port));
  const isTaken = await Promise.all(needed.map(isPortTaken));
  return needed.filter((_, index) => isTaken[index]);
}

async function portsOfTheShop() {
  if (!existsSync(join(HOME, 'daemon.sock'))) return [];
  return (await services()).flatMap(({ ports }) => ports);
}

async function services() {
  const { code, stdout } = await runQuietly(process.execPath, ['bin/upkeep.js', 'list', '--json']);
  return code === 0 ? JSON.parse(stdout) : [];
}

function isPortTaken(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)));
  });
}

async function firstAnswer(url) {
  const deadline = performance.now() + ANSWER_MS;
  while (performance.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return answer.text();
    await sleep(50);
  }
  return undefined;
}

function sayTaken(ports) {
  const what = ports.length === 1 ? `port ${ports[0]} is` : `ports ${ports.join(' and ')} are`;
  console.error(`Cannot start the shop: ${what} in use by another program`);
  console.error(`  hint: choose other ports (this one and the next): SHOP_PORT=${PORT + 1000} npm start`);
  return 1;
}

function sayNoAnswer() {
  upkeep('list');
  console.error(`Cannot reach the shop: ${SHOP_URL} did not answer within ${ANSWER_MS / 1000} s`);
  console.error(`  hint: UPKEEP_HOME=${HOME} npx upkeep logs`);
  return 1;
}

process.exitCode = await start();

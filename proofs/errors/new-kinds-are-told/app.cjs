// Has five kinds of errors all the time, each once a second with other ids; when the file GO appears, a sixth one three
// times, if NEW says which.
const { randomUUID, randomInt } = require('node:crypto');
const { existsSync } = require('node:fs');

class DatabaseError extends Error {
  name = 'DatabaseError';
}
class PaymentError extends Error {
  name = 'PaymentError';
}

const id = () => randomInt(1e9);
const address = () => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}:${randomInt(1024, 65536)}`;
const print = (error) => process.stderr.write(`${error.stack}\n`);
const log = (level, fields) =>
  process.stdout.write(`${JSON.stringify({ level, time: Date.now(), pid: process.pid, ...fields })}\n`);

function loadUser() {
  throw new TypeError(`Cannot read properties of undefined (reading 'user${id()}')`);
}
function queryTable() {
  throw new DatabaseError(`duplicate key ${randomUUID()} in table orders`);
}
function charge() {
  throw new PaymentError(`card of customer ${id()} was refused: ${randomUUID()}`);
}
function caught(work) {
  try {
    work();
  } catch (error) {
    return error;
  }
}

const NORMAL = [
  () => print(caught(loadUser)),
  () => print(caught(queryTable)),
  () => log(50, { reqId: randomUUID(), msg: `request ${id()} failed`, err: asJson(caught(charge)) }),
  () =>
    process.stderr.write(
      `${new Date().toISOString()} ERROR [http] upstream ${address()} gave no answer after ${id()} ms\n`
    ),
  () => log(50, { reqId: randomUUID(), msg: `cannot send mail to user${id()}@example.org` }),
];

function asJson({ name, message, stack }) {
  return { type: name, message, stack };
}

/** What comes with a bad release. */
const NEW = {
  // The same type, from another place.
  place: () =>
    print(
      caught(function loadInvoice() {
        loadUser();
      })
    ),
  // Another type, with the message of a known one.
  type: () =>
    print(
      caught(function queryTable() {
        throw new RangeError(`duplicate key ${randomUUID()} in table orders`);
      })
    ),
  line: () =>
    process.stderr.write(`${new Date().toISOString()} ERROR [cache] lost the connection to ${address()}\n`),
  json: () => log(60, { reqId: randomUUID(), msg: `queue ${id()} is full, ${id()} jobs were dropped` }),
  cause: () => print(new Error(`checkout ${id()} failed`, { cause: caught(charge) })),
};

for (const [index, fail] of NORMAL.entries())
  setTimeout(() => {
    fail();
    setInterval(fail, 1000);
  }, index * 200);

const { GO, NEW: kind } = process.env;
const waiting = setInterval(() => {
  if (!existsSync(GO)) return;
  clearInterval(waiting);
  if (!kind) return;
  let left = 3;
  const repeat = setInterval(() => {
    NEW[kind]();
    if (--left === 0) clearInterval(repeat);
  }, 1000);
}, 50);

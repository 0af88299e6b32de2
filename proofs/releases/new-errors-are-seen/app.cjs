// Has five kinds of errors all the time, each once a second with other ids; with NEW set, a sixth one three times, spread over
// the time, the first one after BEFORE ms.
const { randomUUID, randomInt } = require('node:crypto');

class DatabaseError extends Error {
  name = 'DatabaseError';
}

const id = () => randomInt(1e9);
const address = () => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}:${randomInt(1024, 65536)}`;
const print = (error) => process.stderr.write(`${error.stack}\n`);
const log = (level, fields) =>
  process.stdout.write(`${JSON.stringify({ level, time: Date.now(), pid: process.pid, ...fields })}\n`);

function loadUser() {
  return new TypeError(`Cannot read properties of undefined (reading 'user${id()}')`);
}
function queryTable() {
  return new DatabaseError(`duplicate key ${randomUUID()} in table orders`);
}
function charge() {
  return new RangeError(`card of customer ${id()} was refused: ${randomUUID()}`);
}

const NORMAL = [
  () => print(loadUser()),
  () => print(queryTable()),
  () => {
    const { name, message, stack } = charge();
    log(50, { reqId: randomUUID(), msg: `request ${id()} failed`, err: { type: name, message, stack } });
  },
  () =>
    process.stderr.write(
      `${new Date().toISOString()} ERROR [http] upstream ${address()} gave no answer after ${id()} ms\n`
    ),
  () => log(50, { reqId: randomUUID(), msg: `cannot send mail to user${id()}@example.org` }),
];

/** What comes with a bad release: a stack on stderr, a stack within JSON, a cause. */
const NEW = {
  stack: () =>
    print(
      (function applyCoupon() {
        return new TypeError(`coupon ${id()} has no rules`);
      })()
    ),
  json: () => {
    const { name, message, stack } = (function readCart() {
      return new SyntaxError(`cart of ${randomUUID()} is not JSON`);
    })();
    log(50, { reqId: randomUUID(), msg: `request ${id()} failed`, err: { type: name, message, stack } });
  },
  cause: () =>
    print(
      (function checkout() {
        return new Error(`checkout ${id()} failed`, { cause: charge() });
      })()
    ),
};

for (const [index, fail] of NORMAL.entries())
  setTimeout(() => {
    fail();
    setInterval(fail, 1000);
  }, index * 200);

const { NEW: kind, BEFORE } = process.env;
if (kind) for (const time of [1, 2, 3]) setTimeout(() => NEW[kind](), Number(BEFORE) * time);

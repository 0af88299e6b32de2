// Throws errors in turn, prints them as applications do, and a line of its own between two of them.
'use strict';
const { setImmediate: turn } = require('timers/promises');

class QueryError extends Error {}
class OrderError extends Error {}
for (const type of [QueryError, OrderError]) type.prototype.name = type.name;

function sync(id) {
  const cart = undefined;
  return cart.items[id];
}
async function query(id) {
  await turn();
  throw new QueryError(`select ${id} failed\nLINE 1: select\n\nhint: none`);
}
async function order(id) {
  try {
    await query(id);
  } catch (cause) {
    throw Object.assign(new OrderError(`order ${id}`, { cause }), { code: 'E_ORDER', items: [{ id }] });
  }
}
const several = (id) => Promise.any([query(id), order(id)]);

const KINDS = [sync, query, order, several];

async function main() {
  for (let id = 0; id < Number(process.env.COUNT); id++) {
    console.error(`request ${id}`);
    try {
      await KINDS[id % KINDS.length](id);
    } catch (error) {
      console.error(error);
    }
  }
  console.log('done');
  setInterval(() => {}, 60_000);
}
void main();

/** Takes new orders, oldest first, and ships them. Any number of workers may run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../database.js';

const IDLE_MS = 1000;
const PACKING_MS = 1500;
/** An order that a worker died with is taken again after this time. */
const ABANDONED_SECONDS = 30;

const database = openDatabase();

// One statement, so that two workers never take the same order.
const take = database.prepare(`
  UPDATE orders SET status = 'packing', worker = ?, changed_at = unixepoch()
  WHERE id = (
    SELECT id FROM orders
    WHERE status = 'new' OR (status = 'packing' AND changed_at < unixepoch() - ${ABANDONED_SECONDS})
    ORDER BY id LIMIT 1
  )
  RETURNING id`);
const ship = database.prepare(`UPDATE orders SET status = 'shipped', changed_at = unixepoch() WHERE id = ?`);

let isStopping = false;
process.on('SIGTERM', () => (isStopping = true));

console.log(`worker ${process.pid} waits for orders`);
while (!isStopping) {
  const order = take.get(process.pid);
  if (!order) {
    await sleep(IDLE_MS);
    continue;
  }
  await sleep(PACKING_MS);
  ship.run(order.id);
  console.log(`order ${order.id} shipped`);
}
console.log(`worker ${process.pid} leaves`);

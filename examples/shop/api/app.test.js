import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { openDatabase } from '../database.js';
import { createApp } from './app.js';

let server, url;

before(async () => {
  server = createApp(openDatabase(':memory:')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

const order = (body) =>
  fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('an order starts as new and has a price', async () => {
  const [product] = await (await fetch(`${url}/products`)).json();
  const answer = await order({ product: product.id, quantity: 2 });
  assert.equal(answer.status, 201);
  const { status, cents } = await answer.json();
  assert.deepEqual({ status, cents }, { status: 'new', cents: 2 * product.cents });
});

test('what does not exist cannot be ordered', async () => {
  assert.equal((await order({ product: 4711 })).status, 404);
  assert.equal((await order({ product: 1, quantity: 0 })).status, 400);
});

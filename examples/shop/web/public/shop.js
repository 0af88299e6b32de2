const byId = (id) => document.getElementById(id);
const price = (cents) => (cents / 100).toLocaleString(undefined, { style: 'currency', currency: 'EUR' });

async function call(path, options) {
  const answer = await fetch(path, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

function element(tag, text, properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text }, properties);
}

function productCard({ id, name, cents }) {
  const card = element('li');
  const button = element('button', 'Order', {
    onclick: () => void attempt(() => orderOne(id)),
  });
  card.append(element('strong', name), element('span', price(cents)), button);
  return card;
}

async function orderOne(product) {
  const headers = { 'content-type': 'application/json' };
  await call('api/orders', { method: 'POST', headers, body: JSON.stringify({ product }) });
  await showOrders();
}

function orderRow({ id, product, quantity, cents, status, worker }) {
  const row = element('tr', '', { className: status });
  const cells = [id, `${quantity} × ${product}`, price(cents), status, worker ?? ''];
  row.append(...cells.map((cell) => element('td', String(cell))));
  return row;
}

async function showOrders() {
  byId('orders').replaceChildren(...(await call('api/orders')).map(orderRow));
}

async function showShop() {
  const { name } = await call('config');
  document.title = byId('name').textContent = name;
  byId('products').replaceChildren(...(await call('api/products')).map(productCard));
}

/** While a service restarts the page stays and says so. */
async function attempt(action) {
  try {
    await action();
    byId('state').textContent = '';
  } catch (error) {
    byId('state').textContent = error.message;
  }
}

async function refresh() {
  if (byId('products').childElementCount === 0) await showShop();
  await showOrders();
}

await attempt(refresh);
setInterval(() => void attempt(refresh), 1000);

/** The API without its port, so that a test can use it too. */
import express from 'express';

export function createApp(database) {
  const app = express();
  app.use(express.json());

  app.get('/health', (_request, response) => {
    database.prepare('SELECT 1').get();
    response.json({ ok: true });
  });

  app.get('/products', (_request, response) => {
    response.json(database.prepare('SELECT id, name, cents FROM products ORDER BY name').all());
  });

  app.get('/orders', (_request, response) => {
    response.json(database.prepare(`${ORDERS} ORDER BY orders.id DESC LIMIT 20`).all());
  });

  app.post('/orders', (request, response) => {
    const { product, quantity = 1 } = request.body ?? {};
    const isKnown = database.prepare('SELECT 1 FROM products WHERE id = ?').get(Number(product));
    if (!isKnown) return response.status(404).json({ error: `There is no product ${product}` });
    if (!Number.isInteger(quantity) || quantity < 1) {
      return response.status(400).json({ error: `${quantity} is not a quantity` });
    }
    const { lastInsertRowid } = database
      .prepare('INSERT INTO orders (product, quantity) VALUES (?, ?)')
      .run(product, quantity);
    console.log(`order ${lastInsertRowid}: ${quantity} of product ${product}`);
    const [order] = database.prepare(`${ORDERS} WHERE orders.id = ?`).all(lastInsertRowid);
    response.status(201).json(order);
  });

  return app;
}

const ORDERS = `
  SELECT orders.id, products.name AS product, quantity, quantity * cents AS cents, status, worker
  FROM orders JOIN products ON products.id = orders.product`;

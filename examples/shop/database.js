/** The one thing that the API and the workers share: a SQLite file, made and filled at the first start. */
import Database from 'libsql';

const PRODUCTS = [
  ['Coffee, 250 g', 890],
  ['Oat biscuits', 320],
  ['A good pencil', 210],
  ['Notebook, dotted', 1250],
];

export function openDatabase(path = process.env.SHOP_DATABASE ?? 'shop.sqlite') {
  const database = new Database(path);
  // The API reads while a worker writes; whoever comes second waits instead of failing.
  database.pragma('journal_mode = WAL');
  database.pragma('busy_timeout = 5000');
  database.exec(`
    CREATE TABLE IF NOT EXISTS products (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cents INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS orders (
      id INTEGER PRIMARY KEY, product INTEGER NOT NULL REFERENCES products, quantity INTEGER NOT NULL,
      status TEXT NOT NULL DEFAULT 'new', worker INTEGER, changed_at INTEGER NOT NULL DEFAULT (unixepoch())
    );
  `);
  const add = database.prepare('INSERT OR IGNORE INTO products (name, cents) VALUES (?, ?)');
  for (const product of PRODUCTS) add.run(...product);
  return database;
}

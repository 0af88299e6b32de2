import { defineConfig } from 'upkeep';

// A configuration file is a program: what several services must agree on is written down once.
// `SHOP_PORT=9000 upkeep up` moves the whole shop.
const WEB_PORT = Number(process.env['SHOP_PORT'] ?? 4870);
const API_PORT = WEB_PORT + 1;

export default defineConfig({
  services: {
    api: {
      script: 'api/server.js',
      // A declared port is also the ready rule: `api` is ready once its own process listens there. A port that
      // somebody else holds is found before anything is started, with the name of who holds it.
      port: API_PORT,
      env: { PORT: API_PORT },
      // Kept out of this file because operators change it: the place of the database, the name of the shop.
      envFiles: 'shop.env',
      // A process may live and yet serve nobody. This one asks the database too; three failures in a row and
      // upkeep replaces the instance.
      health: { http: '/health', interval: '5s' },
      // Of the instance with all its children. A leak becomes a restart with a reason, not a dead machine.
      limits: { memory: '300MB' },
    },

    worker: {
      script: 'worker/worker.js',
      // Two workers share the queue: the database makes sure that an order is taken once.
      instances: 2,
      envFiles: 'shop.env',
      // Orders come in through the API: before it is ready there is nothing to pack.
      dependsOn: { api: 'ready' },
      limits: { memory: '200MB' },
      // What is being packed is finished first; after this time it is ended anyway.
      stop: { grace: '5s' },
    },

    web: {
      script: 'web/server.js',
      port: WEB_PORT,
      env: { PORT: WEB_PORT, API_URL: `http://127.0.0.1:${API_PORT}` },
      envFiles: 'shop.env',
      dependsOn: { api: 'ready' },
    },
  },

  // `upkeep up --profile production`: only what differs is said here.
  profiles: {
    production: {
      env: { NODE_ENV: 'production' },
      services: {
        worker: { instances: 4 },
        // More patience under load, and a longer row of failures before a restart.
        api: { health: { http: '/health', interval: '10s', failures: 5 }, limits: { memory: '500MB' } },
      },
    },
  },
});

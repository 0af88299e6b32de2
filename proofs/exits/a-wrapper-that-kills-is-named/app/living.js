// As index.js, but with something else to do: it lives on when Egg is gone, and nothing has ended that an exit could be told of.
const { exec } = require('node:child_process');

exec(`npx egg-scripts start --workers=1 --port=${process.env.EGG_PORT}`, () =>
  console.error('egg has ended'),
);
setInterval(() => undefined, 60_000);

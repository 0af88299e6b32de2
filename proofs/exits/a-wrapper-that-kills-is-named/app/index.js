// Starts the Egg application as a deployment once did: by exec, which keeps all that it prints.
const { exec } = require('node:child_process');

exec(`npx egg-scripts start --workers=1 --port=${process.env.EGG_PORT}`, (error) => {
  if (error) console.error('egg has ended');
});

// The same as `upkeep why` says that it should be.
const { spawn } = require('node:child_process');

spawn(`npx egg-scripts start --workers=1 --port=${process.env.EGG_PORT}`, { shell: true, stdio: 'inherit' });

// The single process mode of Egg: no master, no agent.
const { start } = require('egg');

start().then((app) => app.listen(process.env.PORT ?? 3000));

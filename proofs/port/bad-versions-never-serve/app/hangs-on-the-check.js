require('node:http')
  .createServer(() => undefined)
  .listen(Number(process.env.PORT));

require('node:http')
  .createServer((_, response) => response.writeHead(500).end('Internal Server Error'))
  .listen(Number(process.env.PORT));

// As small as a server can be: whatever is added to it shows.
require('node:http')
  .createServer((_, response) => response.end(String(process.pid)))
  .listen(Number(process.env.PORT));

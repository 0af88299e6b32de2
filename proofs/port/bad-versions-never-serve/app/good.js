// The version that works: what every bad one is measured against.
const { createServer } = require('node:http');

createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ pid: process.pid, id: url.searchParams.get('id') }));
}).listen(Number(process.env.PORT));

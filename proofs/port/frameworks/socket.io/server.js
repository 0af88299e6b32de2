import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer((request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const send = () => response.end(JSON.stringify({ pid: process.pid, id: searchParams.get('id') }));
  setTimeout(send, Number(searchParams.get('ms') ?? 0));
});

const io = new Server(http);
io.on('connection', (socket) => {
  socket.on('echo', (text, answer) => answer({ pid: process.pid, text }));
});

http.listen(process.env.PORT ?? 3000);

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

interface Greeting {
  readonly text: string;
}

const greeting: Greeting = { text: 'typed TypeScript' };

createServer((_request: IncomingMessage, response: ServerResponse): void => {
  response.end(greeting.text);
}).listen(Number(process.env.PORT), '127.0.0.1');

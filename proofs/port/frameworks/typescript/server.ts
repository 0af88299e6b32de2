/** Run from its source. What only a compiler can remove or translate is in it: types, an enum, a parameter property. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { download } from './download.js';

enum Path {
  Pid = '/pid',
  Sum = '/sum',
  Download = '/download',
}

class Answer {
  constructor(private readonly response: ServerResponse) {}

  json(value: object): void {
    this.response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value));
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url!, 'http://localhost');
  const id = searchParams.get('id');
  const ms = Number(searchParams.get('ms') ?? 0);
  switch (pathname as Path) {
    case Path.Pid:
      await wait(ms);
      return new Answer(response).json({ pid: process.pid, id });
    case Path.Sum: {
      const body = await buffer(request);
      return new Answer(response).json({ pid: process.pid, id, bytes: body.length, crc32: crc32(body) });
    }
    case Path.Download:
      Readable.from(download({ bytes: Number(searchParams.get('bytes')), ms })).pipe(response);
  }
}

createServer((request, response) => void answer(request, response)).listen(process.env['PORT'] ?? 3000);

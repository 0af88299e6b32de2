import { crc32 } from 'node:zlib';

export async function POST(request) {
  const id = new URL(request.url).searchParams.get('id');
  const body = Buffer.from(await request.arrayBuffer());
  return Response.json({ pid: process.pid, id, bytes: body.length, crc32: crc32(body) });
}

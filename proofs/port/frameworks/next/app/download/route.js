import { Readable } from 'node:stream';
import { download } from '../../download.js';

export async function GET(request) {
  const { bytes, ms } = Object.fromEntries(new URL(request.url).searchParams);
  const chunks = Readable.from(download({ bytes, ms }), { objectMode: false });
  return new Response(Readable.toWeb(chunks), { headers: { 'Content-Type': 'text/plain' } });
}

/** Serves the page, and passes what the page asks for on to the API. */
import express from 'express';
import { fileURLToPath } from 'node:url';

const port = Number(process.env.PORT ?? 4870);
const apiUrl = process.env.API_URL ?? 'http://127.0.0.1:4871';

const app = express();
app.get('/config', (_request, response) => response.json({ name: process.env.SHOP_NAME ?? 'Shop' }));

// One address for the browser: the API needs neither a public port nor CORS.
app.use('/api', express.text({ type: '*/*' }), async (request, response) => {
  const { method, url } = request;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const answer = await fetch(apiUrl + url, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(hasBody && { body: request.body }),
  }).catch(() => undefined);
  if (!answer) return response.status(502).json({ error: 'The API does not answer' });
  response
    .status(answer.status)
    .type('json')
    .send(await answer.text());
});

app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));

app.listen(port, '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`web listens on http://127.0.0.1:${port}`);
});

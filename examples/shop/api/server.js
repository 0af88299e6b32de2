/** Products and orders over HTTP. */
import { openDatabase } from '../database.js';
import { createApp } from './app.js';

const port = Number(process.env.PORT ?? 4871);

createApp(openDatabase()).listen(port, '127.0.0.1', (error) => {
  // Without this a taken port would leave a process that serves nobody; an exit is seen and told.
  if (error) throw error;
  console.log(`api listens on http://127.0.0.1:${port}`);
});

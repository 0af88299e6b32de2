/** What a power cut asks of whoever writes files: names are durable only when their folder is synced, too. */
import { open } from 'node:fs/promises';

export async function syncFolder(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

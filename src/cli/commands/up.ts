import { UpkeepError } from '../../protocol/index.js';
import { defineCommand } from '../command.js';

export const command = defineCommand({
  summary: 'TEMPORARY until src/config/index.ts appears',
  usage: 'up',
  options: {},
  async run() {
    throw new UpkeepError('unsupported', 'Cannot run "upkeep up": src/config/index.ts is not written yet');
  },
});

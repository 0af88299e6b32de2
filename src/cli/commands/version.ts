import { ownPackage } from '../../client/index.js';
import { defineCommand } from '../command.js';
import { print } from '../output/print.js';

export const command = defineCommand({
  summary: 'Print the version of upkeep',
  usage: 'version',
  options: {},
  async run() {
    print(ownPackage().version);
  },
});

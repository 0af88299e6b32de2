import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { print, printJson } from '../output/print.js';
import { formatServices } from '../output/service.js';

export const command = defineCommand({
  summary: 'Show all services and how they are',
  usage: 'list [--json | --quiet]',
  options: {
    json: JSON_OPTION,
    quiet: { type: 'boolean', short: 'q', description: 'only the names' },
  },
  async run({ values }) {
    const services = await connectIfUsed(homeFrom(process.env))
      .call('services')
      .catch((error: unknown) => {
        if (isUnusedHome(error)) return [];
        throw error;
      });
    if (values.json) return printJson(services);
    if (values.quiet) return services.forEach(({ name }) => print(name));
    print(formatServices(services, Date.now()));
  },
});

import { usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { connectIfUsed, homeFrom } from '../../client/index.js';
import { note } from '../output/print.js';
import { followRelease } from '../release.js';

export const command = defineCommand({
  summary: 'Go back to the release that served well before; it is kept on the host, so no network is needed',
  usage: 'rollback [group]',
  examples: ['upkeep rollback', 'upkeep rollback shop --to 1.4.1'],
  options: {
    to: {
      type: 'string',
      value: 'release',
      description: 'number or version of a release that is kept, see upkeep release list',
    },
    detach: { type: 'boolean', short: 'd', description: 'leave once the daemon has accepted it' },
    json: JSON_OPTION,
  },
  async run({ values, operands }) {
    const group = await groupOf(operands);
    const body = { group, ...(values.to === undefined ? {} : { to: values.to }) };
    return followRelease((client, signal) => client.stream('rollback', { body, signal }), values);
  },
});

/** A service stands for its group; where there is just one, nothing has to be said. */
async function groupOf(operands: readonly string[]): Promise<string> {
  const [operand, ...more] = operands;
  if (more.length > 0) throw usageError('rollback', `it takes one group, not ${operands.length}`);
  const groups = await connectIfUsed(homeFrom(process.env)).call('releases', { query: { limit: '0' } });
  if (operand === undefined) {
    if (groups.length === 1) return groups[0]!.group;
    const names = groups.map(({ group }) => group).join(', ');
    throw usageError(
      'rollback',
      groups.length === 0 ? 'nothing was released here' : `say which group: ${names}`,
    );
  }
  if (groups.some(({ group }) => group === operand)) return operand;
  const found = groups.find(({ services }) => services.includes(operand));
  const others = found?.services.filter((service) => service !== operand) ?? [];
  if (others.length > 0) note(`${operand} goes back with its group ${found!.group}: ${others.join(', ')}`);
  return found?.group ?? operand;
}

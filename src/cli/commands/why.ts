import { connectIfUsed, homeFrom } from '../../client/index.js';
import { UpkeepError } from '../../protocol/index.js';
import { oneOperand, parseCount } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { print, printJson } from '../output/print.js';
import { formatWhy } from '../output/why.js';

export const command = defineCommand({
  summary: 'Say why a service ended: by whom or by what, how certain that is, and what it rests on',
  usage: 'why <service>',
  examples: ['upkeep why api', 'upkeep why api --attempt 7', 'upkeep why api -n 5 --json'],
  options: {
    instance: { type: 'string', short: 'i', value: 'n', description: 'only this instance' },
    attempt: { type: 'string', value: 'n', description: 'that attempt, by default the last one that ended' },
    limit: { type: 'string', short: 'n', value: 'n', description: 'how many ends, newest first, default 1' },
    json: JSON_OPTION,
  },
  operands: 'services',
  async run({ values, operands }) {
    const name = oneOperand('why', operands, 'the name of a service');
    const count = (option: 'instance' | 'attempt' | 'limit'): string | undefined => {
      const text = values[option];
      return text === undefined ? undefined : String(parseCount('why', `--${option}`, text));
    };
    const query = { instance: count('instance'), attempt: count('attempt'), limit: count('limit') ?? '1' };
    const why = await connectIfUsed(homeFrom(process.env)).call('why', { params: { name }, query });
    if (values.json) return printJson(why);
    if (why.exits.length + why.killedServers.length === 0) throw noExit(name, query);
    print(formatWhy(why));
  },
});

function noExit(
  name: string,
  { instance, attempt }: { readonly instance: string | undefined; readonly attempt: string | undefined },
): UpkeepError {
  const which = [
    instance === undefined ? '' : ` of instance ${instance}`,
    attempt === undefined ? '' : ` of attempt ${attempt}`,
  ].join('');
  return new UpkeepError('exit-not-found', `Cannot explain an exit of "${name}": none${which} is known`, {
    hint: `see what it does now: upkeep show ${name}`,
  });
}

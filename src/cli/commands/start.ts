import { connectOrStart, homeFrom, type Client } from '../../client/index.js';
import { UpkeepError, type ServiceSelection } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import { parseCount, usageError } from '../arguments.js';
import { defineCommand, OPERATION_OPTIONS, type Invocation } from '../command.js';
import { requestOperation } from '../operation.js';

/** The options that describe a new service. */
const SPEC_OPTIONS = {
  name: { type: 'string', value: 'name', description: 'name of the service, by default that of the script' },
  instances: { type: 'string', short: 'i', value: 'n', description: 'how many copies run' },
  port: { type: 'string', multiple: true, value: 'port', description: 'a port that it listens on' },
  env: {
    type: 'string',
    short: 'e',
    multiple: true,
    value: 'K=V',
    description: 'a variable; K alone: as in the shell',
  },
  'env-file': { type: 'string', multiple: true, value: 'file', description: 'read at each start' },
  cwd: { type: 'string', value: 'folder', description: 'folder that it runs in' },
  restart: { type: 'string', value: 'policy', description: 'always, on-failure or never' },
  interpreter: {
    type: 'string',
    value: 'program',
    description: 'what runs the script, by default after its suffix',
  },
  'interpreter-args': { type: 'string', value: 'words', description: 'arguments of the interpreter' },
  memory: { type: 'string', value: 'size', description: 'restart above this much memory, as 512MB' },
  cron: { type: 'string', value: 'pattern', description: 'run to completion at these times' },
  watch: { type: 'boolean', description: 'restart when files in the folder change' },
  user: { type: 'string', value: 'user', description: 'user, or user:group, that it runs as' },
  grace: { type: 'string', value: 'time', description: 'from the stop signal to SIGKILL, as 10s' },
  signal: { type: 'string', value: 'signal', description: 'the stop signal, by default SIGTERM' },
  'kill-scope': {
    type: 'string',
    value: 'scope',
    description: 'tree: with all descendants; process: it alone',
  },
} as const;

const OPTIONS = { ...SPEC_OPTIONS, ...OPERATION_OPTIONS };
type StartInvocation = Invocation<typeof OPTIONS>;

export const command = defineCommand({
  summary: 'Start a script or a command line as a new service, or services that exist',
  usage: 'start <script | "command line"> [options] [-- args...]\n  upkeep start <service...> | all',
  examples: [
    'upkeep start server.js --port 3000',
    'upkeep start "python3 -m http.server 8000" --name files',
    'upkeep start worker.js -i 4 -e NODE_ENV=production -- --queue mail',
    'upkeep start api web',
  ],
  options: OPTIONS,
  operands: 'services',
  async run(invocation) {
    const { operands, values } = invocation;
    if (operands.length === 0) throw usageError('start', 'it needs a script, a command line or a service');
    const client = connectOrStart(homeFrom(process.env));
    const known = (await client.call('services')).map(({ name }) => name);
    const existing = describesNew(invocation) ? undefined : existingServices(operands, known);
    if (existing) {
      return requestOperation(
        { kind: 'start', services: existing },
        { ...values, showServices: true },
        client,
      );
    }
    return startNew(invocation, known, client);
  },
});

function describesNew({ values, rest }: StartInvocation): boolean {
  return rest !== undefined || Object.keys(SPEC_OPTIONS).some((option) => option in values);
}

/** The operands as a selection, if every one is the name of a service. */
function existingServices(
  operands: readonly string[],
  known: readonly string[],
): ServiceSelection | undefined {
  if (operands.length === 1 && operands[0] === 'all') return 'all';
  return operands.every((operand) => known.includes(operand)) ? [...operands] : undefined;
}

async function startNew(
  invocation: StartInvocation,
  known: readonly string[],
  client: Client,
): Promise<number> {
  const { operands, values } = invocation;
  const { temporarySpec } = await import('../temporary-spec.js');
  const spec = temporarySpec(operands[0]!, values, invocation.rest ?? []);
  return requestOperation(
    { kind: 'up', services: [spec], create: true },
    { ...values, showServices: true },
    client,
  );
}

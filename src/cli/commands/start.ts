import { connectOrStart, homeFrom, type Client } from '../../client/index.js';
import { UpkeepError, type OperationRequest, type ServiceSelection } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import { usageError } from '../arguments.js';
import { SPEC_OPTIONS, toCommandLine } from '../command-line.js';
import { defineCommand, OPERATION_OPTIONS, type Invocation } from '../command.js';
import { requestOperation } from '../operation.js';

const OPTIONS = { ...SPEC_OPTIONS, ...OPERATION_OPTIONS };
/** A program with a mistake in its first lines has ended by then. */
const SETTLE_MS = 300;

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
  const stranger = operands.find((operand) => !known.includes(operand)) ?? operands[0]!;
  if (operands.length > 1) throw noSuchService(stranger, known);
  const { loadCommandLine } = await import('../config.js');
  const spec = await loadCommandLine(toCommandLine(invocation)).catch((error: unknown) => {
    throw withSimilarService(error, stranger, known);
  });
  const request: OperationRequest = { kind: 'up', services: [spec], create: true };
  return requestOperation(request, { ...values, showServices: true, settleMs: SETTLE_MS }, client);
}

function noSuchService(name: string, known: readonly string[]): UpkeepError {
  const similar = mostSimilar(name, known);
  return new UpkeepError('service-not-found', `Cannot start "${name}": there is no such service`, {
    hint: similar ? `did you mean "${similar}"?` : 'scripts and command lines are started one at a time',
  });
}

/** What was no script may have been meant as a service. */
function withSimilarService(error: unknown, target: string, known: readonly string[]): unknown {
  const similar = mostSimilar(target, known);
  if (!(error instanceof UpkeepError) || similar === undefined) return error;
  const hint = known.includes(target)
    ? `"${target}" is a service; its options are changed by "upkeep delete ${target}" and a new start`
    : `did you mean the service "${similar}"?`;
  return new UpkeepError(error.code, error.message, { hint });
}

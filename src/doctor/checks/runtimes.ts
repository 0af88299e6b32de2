/** Programs that run although their file is gone or another one by now, and programs that could not be started. */
import { basename } from 'node:path';
import type { ServiceSpec } from '../../protocol/index.js';
import { quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { Executable, Machine, Process } from '../machine.js';

/** Somebody whose program is looked at. */
interface Runner {
  readonly who: string;
  readonly process: Process;
  /** Lets it run what lies at its path now. */
  readonly restart: string;
  /** Lets it run another program, the one at its path being gone. */
  readonly replace: string;
  /** What is executed at its next start, where that is another path: a link to the version that is in use. */
  readonly program?: string | undefined;
}

const REPLACE_DAEMON = 'upkeep daemon stop && upkeep daemon start';

export function findRuntimes(machine: Machine): Finding[] {
  const changed = runnersOf(machine).flatMap((runner) => {
    const { executable } = runner.process;
    return executable && executable.now !== 'same' ? [toFinding(runner, executable)] : [];
  });
  return [...changed, ...missingFiles(machine)];
}

function runnersOf(machine: Machine): Runner[] {
  const { home } = machine;
  const { daemon } = home;
  const instances = home.instances.flatMap(({ service, instance, main }) => {
    const spec = home.services.find((stored) => stored.spec.name === service)?.spec;
    if (!main || !spec) return [];
    const restart = `upkeep reload ${service}`;
    const program = successorOf(machine, main, spec);
    return [{ who: `${service}.${instance}`, process: main, restart, replace: describeAnew(spec), program }];
  });
  if (!daemon) return instances;
  return [
    { who: 'the daemon', process: daemon, restart: REPLACE_DAEMON, replace: REPLACE_DAEMON },
    ...instances,
  ];
}

/** The kernel knows the file behind a link, the service the link, which leads to another version by now. */
function successorOf({ file }: Machine, { executable }: Process, { argv }: ServiceSpec): string | undefined {
  const [program = ''] = argv;
  const isNamesake = executable !== undefined && basename(program) === basename(executable.path);
  return isNamesake && program !== executable.path && program.startsWith('/') && file(program)
    ? program
    : undefined;
}

/** The interpreter of a service is the one that was found when it was described. */
function describeAnew({ name, script, argv, origin }: ServiceSpec): string {
  if (origin.file === null)
    return `upkeep delete ${name} && upkeep start ${quote(script ?? argv.join(' '))} --name ${name}`;
  return `upkeep up ${quote(origin.file)}${origin.profile === null ? '' : ` --profile ${quote(origin.profile)}`}`;
}

function toFinding(runner: Runner, { path, now }: Executable): Finding {
  const { who, process, restart, replace, program } = runner;
  const { pid } = process;
  const evidence = { who, pid, path };
  if (now === 'replaced' || program !== undefined) {
    const fate =
      now === 'replaced'
        ? `an older ${path}, which was replaced since`
        : `${path}, which was deleted; its next start runs ${program}`;
    return {
      id: 'runtime-replaced',
      severity: 'warning',
      fact: `${who} (pid ${pid}) runs ${fate}`,
      evidence: { ...evidence, ...(program === undefined ? {} : { program }) },
      command: restart,
    };
  }
  return {
    id: 'runtime-gone',
    severity: 'error',
    fact: `${who} (pid ${pid}) runs ${path}, which was deleted: it could not be started again`,
    evidence,
    command: replace,
  };
}

/** Of services that should run; those that do run without their file are told above. */
function missingFiles(machine: Machine): Finding[] {
  const { services, instances } = machine.home;
  return services.flatMap(({ spec, isWanted }): Finding[] => {
    const isTold = instances.some((one) => one.service === spec.name && one.main?.executable?.now === 'gone');
    if (!isWanted || isTold) return [];
    const isMissing = (path: string): boolean => path.startsWith('/') && !machine.file(path);
    const program = spec.argv.slice(0, 1).find(isMissing);
    const missing = program ?? filesOf(spec).find(isMissing);
    if (missing === undefined) return [];
    return [
      {
        id: 'file-missing',
        severity: 'error',
        fact: `"${spec.name}" could not be started again: ${missing} does not exist`,
        evidence: { service: spec.name, path: missing },
        command: program ? describeAnew(spec) : `ls -l ${quote(missing)}`,
      },
    ];
  });
}

/** What a start reads. */
function filesOf({ script, cwd, envFiles, secrets }: ServiceSpec): string[] {
  const secretFiles = Object.values(secrets).flatMap((secret) => ('file' in secret ? secret.file : []));
  return [...(script === null ? [] : [script]), cwd, ...envFiles, ...secretFiles];
}

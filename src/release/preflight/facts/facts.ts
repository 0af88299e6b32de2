/** What a release is judged by: what its services will really get on this host, and what the build says of itself. */
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { BuildManifest, UpkeepError, type ServiceSpec } from '../../../protocol/index.js';
import { findCredentials, type Credentials } from '../../../system/index.js';
import { resolveEnvironment, type Environment } from '../../../supervisor/index.js';
import { currentIn } from '../../folder/index.js';
import type { StageJob } from '../../job.js';
import { settle } from '../../settle.js';
import type { Finding } from '../finding.js';
import { readConfigFile, type ConfigFile } from './config-file.js';
import { findNode } from './node-program.js';

export interface ServiceFacts {
  /** As it will run: in the folder of the release. */
  readonly spec: ServiceSpec;
  /** Exactly what an attempt gets, but for what upkeep itself adds. */
  readonly environment: Environment;
  /** undefined: the daemon's own user, or one that does not exist. */
  readonly user: Credentials | undefined;
  /** The Node.js binary that will run it; undefined: it is not run by Node.js. */
  readonly node: string | undefined;
}

export interface BuildFacts {
  readonly manifest: BuildManifest | null;
  readonly packageVersion: string | null;
  /** `engines.node` of package.json. */
  readonly engines: string | null;
}

export interface Facts {
  readonly job: StageJob;
  readonly folder: string;
  readonly host: string;
  readonly services: readonly ServiceFacts[];
  readonly files: readonly ConfigFile[];
  readonly build: BuildFacts;
  /** What could not be found out, and why. */
  readonly findings: readonly Finding[];
}

export async function gatherFacts(job: StageJob, folder: string): Promise<Facts> {
  const host = hostname();
  const current = currentIn(job.spec.folder);
  const findings: Finding[] = [];
  const services = await Promise.all(
    job.spec.services.map((spec) => gatherService(settle(spec, current, folder), host, findings)),
  );
  const files = (job.spec.contract?.files ?? []).map((path) => readConfigFile(folder, path, host));
  findings.push(...files.flatMap(({ finding }) => finding ?? []));
  return { job, folder, host, services, files, build: readBuild(folder, findings), findings };
}

/** Secrets are read here, as a start reads them; a service whose environment is not known is judged by what is. */
async function gatherService(spec: ServiceSpec, host: string, findings: Finding[]): Promise<ServiceFacts> {
  const user = spec.user === null ? undefined : findCredentials(spec.user, spec.group);
  const environment = await resolveEnvironment(spec).catch((error: unknown): Environment => {
    if (!(error instanceof UpkeepError)) throw error;
    const why = error.message.slice(error.message.indexOf(': ') + 2);
    const text = `the environment of ${spec.name} is not complete on host "${host}": ${why}`;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    findings.push({
      area: 'host',
      rule: 'environment',
      subject: spec.name,
      verdict: 'failed',
      text,
      ...hint,
    });
    return declared(spec);
  });
  return { spec, environment, user, node: findNode(spec, environment.get('PATH')?.value) };
}

function declared({ env }: ServiceSpec): Environment {
  return new Map(Object.entries(env).map(([key, each]) => [key, { ...each, isSecret: false }]));
}

const Package = v.object({
  version: v.optional(v.string()),
  engines: v.optional(v.object({ node: v.optional(v.string()) })),
});

function readBuild(folder: string, findings: Finding[]): BuildFacts {
  const manifest = readJson(folder, 'upkeep.build.json', BuildManifest, findings);
  const { version, engines } = readJson(folder, 'package.json', Package, findings) ?? {};
  return { manifest, packageVersion: version ?? null, engines: engines?.node ?? null };
}

function readJson<T extends v.GenericSchema>(
  folder: string,
  name: string,
  schema: T,
  findings: Finding[],
): v.InferOutput<T> | null {
  const path = join(folder, name);
  if (!existsSync(path)) return null;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), readFileSync(path, 'utf8'));
  if (parsed.success) return parsed.output;
  const key = v.getDotPath(parsed.issues[0]);
  const text = `${name} of the release is not what it should be${key === null ? ': no JSON' : ` at "${key}"`}`;
  findings.push({
    area: 'contract',
    rule: 'file',
    verdict: 'failed',
    text,
    hint: 'correct it where it is made, and build again',
  });
  return null;
}

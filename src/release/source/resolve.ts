/** The stage `resolve`: everything that the source has for what is asked for is looked at, one build is chosen, and each choice told. */
import type { BuildChoice, Stage, StageContext, StageJob } from '../job.js';
import { openSource } from './open.js';
import { Scene } from './scene.js';

export const resolveBuild: Stage = async (job, context) => {
  const scene = new Scene('resolve', job, context);
  const choice = await chooseBuild(job, scene, context);
  return { choice, notes: scene.notes, text: choice.from };
};

/** Throws `artifact-not-found`, with the candidates, where there is none. */
export async function chooseBuild(job: StageJob, scene: Scene, context: StageContext): Promise<BuildChoice> {
  const source = await openSource(job, scene);
  const finding = await source.find(job.target);
  const candidates = scene.redactor.deep(finding.candidates);
  context.note({ candidates });
  const { choice, fact, remedy } = finding;
  if (!choice) throw scene.error('artifact-not-found', fact, remedy, { candidates });
  const wanted = job.target.sha256?.toLowerCase();
  if (wanted !== undefined && choice.sha256 !== null && choice.sha256 !== wanted)
    throw scene.error(
      'source-failed',
      `${choice.from} has sha256 ${choice.sha256}, and ${wanted} is asked for`,
      'do not use it: find out who changed it, or ask for the right checksum',
    );
  return { ...choice, from: scene.redactor.text(choice.from), sha256: choice.sha256 ?? wanted ?? null };
}

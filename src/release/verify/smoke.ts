/** Asks every new instance the questions that tell whether it works at all, on its own socket. */
import type { ReleaseCheck, ReleaseStage, SmokeSpec } from '../../protocol/index.js';
import type { Switchover } from '../../supervisor/index.js';

export interface SmokeOptions {
  readonly smoke: readonly SmokeSpec[];
  readonly stage: ReleaseStage;
  readonly switchover: Pick<Switchover, 'look' | 'check' | 'whyNoneYet'>;
}

/**
 * One check for each question and instance. No instance to ask is a failure, but where there is none before it joins, and where it serves
 * already: who has stopped it or starts it again may do so.
 */
export async function askSmoke({ smoke, stage, switchover }: SmokeOptions): Promise<readonly ReleaseCheck[]> {
  if (smoke.length === 0) return [];
  const views = await switchover.look();
  const asked = smoke.map(async ({ service, check, timeoutMs }): Promise<ReleaseCheck[]> => {
    const young = views.filter((view) => view.service === service && view.side === 'new');
    const none = stage === 'bake' ? 'it was scaled down' : switchover.whyNoneYet(service);
    if (young.length === 0 && none !== undefined) {
      const text = `${service}: there is no new instance to ask: ${none}`;
      return [{ stage, name: 'smoke', verdict: 'unknown', text }];
    }
    if (young.length === 0) {
      const text = `${service}: there is no new instance to ask`;
      return [{ stage, name: 'smoke', verdict: 'failed', text }];
    }
    return Promise.all(
      young.map(async ({ instance, takesTraffic }): Promise<ReleaseCheck> => {
        if (stage === 'bake' && !takesTraffic) {
          const text = `${service}.${instance}: it was stopped or is started again on request, and was not asked`;
          return { stage, name: 'smoke', verdict: 'unknown', text };
        }
        const { isSuccess, detail } = await switchover.check(service, instance, check, timeoutMs);
        const verdict = isSuccess ? 'passed' : 'failed';
        return { stage, name: 'smoke', verdict, text: `${service}.${instance}, new: ${detail}` };
      }),
    );
  });
  return (await Promise.all(asked)).flat();
}

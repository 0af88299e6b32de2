/** Configuration files that say something else than what runs. */
import type { SpecChange } from '../../protocol/index.js';
import { quote } from '../../util/index.js';
import type { Finding } from '../finding.js';
import type { ConfigurationDrift, Machine } from '../machine.js';
import { wordList } from '../words.js';

export function findConfigurations({ configurations }: Machine): Finding[] {
  return configurations.flatMap(judge);
}

function judge(configuration: ConfigurationDrift): Finding[] {
  const { file } = configuration;
  switch (configuration.kind) {
    case 'read':
      return configuration.changes.flatMap((change) => differs(file, change));
    case 'missing':
      return [
        {
          id: 'config-missing',
          severity: 'warning',
          fact: `${file}, which ${wordList(configuration.services)} came from, does not exist`,
          evidence: { file, services: configuration.services },
          command: `ls -l ${quote(file)}`,
        },
      ];
    case 'invalid':
      return [
        {
          id: 'config-invalid',
          severity: 'warning',
          fact: `${file} has errors: ${configuration.problems[0]}`,
          evidence: { file, problems: configuration.problems },
          command: `upkeep check ${quote(file)}`,
        },
      ];
  }
}

const FATES: Readonly<Partial<Record<SpecChange['action'], string>>> = {
  create: 'is in the file and was never brought up',
  orphan: 'runs and is no longer in the file',
};

function differs(file: string, { service, action, changes }: SpecChange): Finding[] {
  const keys = changes.map(({ key }) => key);
  const isOnPurpose = action === 'keep' || action === 'start'; // stopped by somebody
  const fate = FATES[action] ?? `differs from what runs in ${wordList(keys, 8)}`;
  if (isOnPurpose) return [];
  return [
    {
      id: 'config-differs',
      severity: action === 'create' ? 'note' : 'warning',
      fact: `"${service}" of ${file} ${fate}`,
      evidence: { file, service, action, keys },
      command: `upkeep diff ${quote(file)} && upkeep up ${quote(file)}${action === 'orphan' ? ' --prune' : ''}`,
    },
  ];
}

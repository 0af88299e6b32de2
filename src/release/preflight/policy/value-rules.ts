/** Whether what the services get belongs to where they run. */
import type { PolicyRule } from '../../../protocol/index.js';
import { isOnlyExample, isPlaceholder } from '../facts/placeholder.js';
import { hostsOf, isLocal, matchesHost } from './hosts.js';
import { isProduction, wordSetting, type Offence, type Rule, type Setting } from './policy-facts.js';

export const VALUE_RULES = {
  'node-env': ({ policy, host, services }) => {
    if (!isProduction(policy.target)) return [];
    return services
      .filter(({ isNode, env }) => isNode && env.get('NODE_ENV') !== 'production')
      .map(({ name, env }) => ({
        subject: name,
        text: `NODE_ENV of ${name} on host "${host}" is ${env.has('NODE_ENV') ? 'not production' : 'missing'}`,
        hint: `set env: {NODE_ENV: production} for ${name}`,
      }));
  },
  'debug-logging': ({ settings, host }) =>
    settings.filter(isDebugLogging).map((setting) => ({
      subject: subjectOf(setting),
      text: `${wordSetting(setting, host)} turns debug logging on`,
      hint: change(setting, 'set it to what production logs'),
    })),
  'debug-port': ({ settings, services, host }) => [
    ...services
      .filter(({ argv }) => argv.some((word) => DEBUG_OPTION.test(word)))
      .map(({ name }): Offence => {
        const text = `${name} on host "${host}" is started with a debug port`;
        return { subject: name, text, hint: `remove --inspect from the arguments of ${name}` };
      }),
    ...settings
      .filter(({ key, value }) => DEBUG_OPTION.test(value) || /(?:debug|inspect)_?port$/i.test(key))
      .map((setting) => ({
        subject: subjectOf(setting),
        text: `${wordSetting(setting, host)} opens a debug port`,
        hint: change(setting, 'remove --inspect from it'),
      })),
  ],
  'example-value': ({ settings, host }) =>
    settings.filter(isExample).map((setting) => ({
      subject: subjectOf(setting),
      text: `${wordSetting(setting, host)} is an example, not a value`,
      hint: change(setting, 'set the real one'),
    })),
  localhost: ({ policy, settings, host }) => {
    if (!isProduction(policy.target)) return [];
    return settings
      .filter((setting) => !isBindAddress(setting) && hostsOf(setting).some(isLocal))
      .map((setting) => ({
        subject: subjectOf(setting),
        text: `${wordSetting(setting, host)} leads to this machine itself`,
        hint: change(setting, 'set the host that production uses'),
      }));
  },
  'test-host': ({ policy, settings, host }) =>
    settings.flatMap((setting): Offence[] => {
      const pattern = policy.testHosts.find((each) =>
        hostsOf(setting).some((name) => matchesHost(name, each)),
      );
      if (pattern === undefined) return [];
      const text = `${wordSetting(setting, host)} leads to a test host (${pattern})`;
      return [
        { subject: subjectOf(setting), text, hint: change(setting, 'set the host that production uses') },
      ];
    }),
} as const satisfies Partial<Record<PolicyRule, Rule>>;

function subjectOf({ key, place }: Setting): string {
  return `${key} of ${place}`;
}

function change({ key, source }: Setting, what: string): string {
  return `${what}: ${key} comes from ${source}`;
}

const DEBUG_OPTION = /(?:^|\s)--(?:inspect|debug)(?:-brk|-wait|-port)?(?:[=\s]|$)/;
const DEBUG_LEVEL = /^(?:debug|trace|silly|verbose|all)$/i;
const LEVEL_KEY = /(?:^|[._])log(?:ging|ger)?[._]?level$|(?:^|\.)log(?:ger|ging)?\.level$/i;
const SWITCH_KEY =
  /(?:^|[._])(?:(?:sql|db|query|orm)[._]?)?(?:logging|log[._]?quer(?:y|ies)|log[._]?sql|debug)$/i;
const ON = /^(?:true|1|yes|on|all|\*)$/i;

function isDebugLogging({ key, value }: Setting): boolean {
  const name = key.replace(/([a-z])([A-Z])/g, '$1_$2');
  if (LEVEL_KEY.test(name)) return DEBUG_LEVEL.test(value);
  // The list of the debug package, and of Node.js itself.
  if (name === 'DEBUG' || name === 'NODE_DEBUG') return value !== '' && !/^(?:0|false|no|off)$/i.test(value);
  return SWITCH_KEY.test(name) && (ON.test(value) || DEBUG_LEVEL.test(value));
}

function isExample({ key, value, example }: Setting): boolean {
  if (value === '') return false;
  return isPlaceholder(value) || (value === example && isOnlyExample(key, value));
}

/** Where the service itself listens. */
function isBindAddress({ key }: Setting): boolean {
  return /^(?:HOST|HOSTNAME)$|bind|listen/i.test(key);
}

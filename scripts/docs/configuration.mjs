/** Parts of docs/configuration.md: tables of keys from the types in src/config/, examples in both forms, real diagnostics. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from '@babel/parser';
import Ajv from 'ajv';
import { format } from 'prettier';
import { parse as parseYaml } from 'yaml';
import { configJsonSchema, DEFINITIONS } from '../../src/config/json-schema.ts';
import { ROOT } from '../setup.mjs';
import { code, createBook, either, fence, table, textOf } from './markdown.mjs';

/** Types that are explained elsewhere on the page. */
const EXPLAINED = {
  Duration: '[duration](#durations-and-sizes)',
  Size: '[size](#durations-and-sizes)',
  EnvConfig: '[variables](#environment)',
  ServiceConfig: '[service](#the-program)',
  NamedServiceConfig: '[service](#the-program)',
  ProfileConfig: '[profile](#profiles)',
  SecretConfig: '[secret](#secrets)',
  PortConfig: '[port](#ports)',
  SocketsConfig: '[map](#sockets)',
  ReloadConfig: '[map](#reload)',
  VerifyConfig: '[map](#reload)',
  RestartConfig: '[map](#restart)',
  StopConfig: '[map](#stop)',
  ReadyConfig: '[map](#ready)',
  HealthConfig: '[map](#health)',
  EventLoopConfig: '[map](#health)',
  LimitsConfig: '[map](#limits)',
  LogsConfig: '[map](#logs)',
  AlertConfig: '[alert](#alerts)',
  EmailConfig: '[map](#alerts)',
  SmtpConfig: '[map](#alerts)',
  QuietConfig: '[map](#alerts)',
  ScheduleConfig: '[map](#schedule)',
  WatchConfig: '[map](#watch)',
  ReleaseConfig: '[group](#releases)',
  GitlabSourceConfig: '[gitlab](#builds-from-gitlab)',
  PackageConfig: '[map](#builds-from-gitlab)',
  GithubSourceConfig: '[github](#builds-from-elsewhere)',
  GitSourceConfig: '[git](#builds-from-elsewhere)',
  FileSourceConfig: '[file](#builds-from-elsewhere)',
  HttpSourceConfig: '[http](#builds-from-elsewhere)',
  ChecksumConfig: '[map](#builds-from-elsewhere)',
  NpmSourceConfig: '[npm](#builds-from-elsewhere)',
  InstallConfig: '[map](#installation-and-hooks)',
  HookConfig: '[map](#installation-and-hooks)',
  HooksConfig: '[map](#installation-and-hooks)',
  LinkedConfig: '[map](#what-stays)',
  ContractConfig: '[map](#contract-and-policy)',
  PolicyConfig: '[map](#contract-and-policy)',
  PolicyRulesConfig: '[map](#contract-and-policy)',
  WaiverConfig: '[waiver](#contract-and-policy)',
  RequirementConfig: '[requirement](#contract-and-policy)',
  ReleaseVerifyConfig: '[map](#verification)',
  SmokeConfig: '[check](#verification)',
  CanaryConfig: '[map](#verification)',
  TrafficConfig: '[map](#traffic)',
  HaproxyConfig: '[map](#traffic)',
  TrafficCommandConfig: '[map](#traffic)',
  RegExp: 'regular expression',
};

export function configurationParts() {
  const definitions = DEFINITIONS.map((name) => readFileSync(join(ROOT, 'src/config', name), 'utf8'));
  const interfaces = new Map(definitions.flatMap(readInterfaces));
  const schema = configJsonSchema(definitions);
  const book = createBook('key', [...keysOf(interfaces)]);
  const validate = new Ajv({ strict: false }).compile(schema);
  return {
    parts: {
      /** `<interface>`, or `<interface> <key>...`. */
      keys: (words) => {
        const [owner, ...chosen] = words.split(' ');
        const { members, text } = interfaces.get(owner) ?? {};
        if (!members) throw new Error(`docs/templates: there is no interface ${owner}`);
        const keys = chosen.length > 0 ? chosen : Object.keys(members);
        for (const key of keys) book.place(`${owner}.${key}`);
        const rows = keys.map((key) => keyRow(key, members[key]));
        const intro = chosen.length > 0 ? [] : [text.description];
        return [...intro, table(['Key', 'Type', 'Default', 'Meaning'], rows)].join('\n\n');
      },
      /** The words are the name of a YAML file in docs/templates/; its TypeScript form is made from it. */
      example: async (name) => {
        const text = readFileSync(join(ROOT, 'docs/templates/examples', `${name}.yaml`), 'utf8');
        const value = parseYaml(text);
        if (!validate(value)) throw new Error(`${name}.yaml: ${JSON.stringify(validate.errors)}`);
        return [fence('yaml', text), fence('ts', await toTypescript(value))].join('\n\n');
      },
      diagnostics: () => diagnose(),
    },
    finish: book.finish,
  };
}

function keyRow(key, { type, isOptional, text }) {
  const byDefault =
    text.byDefault === undefined ? (isOptional ? '' : 'required') : wordDefault(text.byDefault);
  return [code(key), type, byDefault, text.description];
}

/** Values are shown as code, words as words, values among words as code again. */
function wordDefault(said) {
  if (/^(?:\[.*\]|true|false|[\d.]+)$/.test(said)) return code(said);
  return said.replaceAll(/'([^']*)'/g, (_, value) => code(value));
}

function* keysOf(interfaces) {
  for (const [owner, { members }] of interfaces)
    for (const key of Object.keys(members)) yield `${owner}.${key}`;
}

function readInterfaces(definitions) {
  const { program } = parse(definitions, { sourceType: 'module', plugins: ['typescript'] });
  const declared = program.body.filter(({ declaration }) => declaration?.type === 'TSInterfaceDeclaration');
  return declared.map(({ declaration: { id, body }, leadingComments }) => [
    id.name,
    { text: textOf(leadingComments), members: Object.fromEntries(body.body.map(readMember)) },
  ]);
}

function readMember({ key, typeAnnotation, optional = false, leadingComments }) {
  const type = wordType(typeAnnotation.typeAnnotation);
  return [key.name ?? key.value, { type, isOptional: optional, text: textOf(leadingComments) }];
}

function wordType(node) {
  switch (node.type) {
    case 'TSStringKeyword':
      return 'text';
    case 'TSNumberKeyword':
      return 'number';
    case 'TSBooleanKeyword':
      return 'boolean';
    case 'TSUnknownKeyword':
      return 'anything';
    case 'TSNullKeyword':
      return '`null`';
    case 'TSLiteralType':
      return code(node.literal.value);
    case 'TSParenthesizedType':
      return wordType(node.typeAnnotation);
    case 'TSArrayType':
      return `list of ${wordType(node.elementType)}`;
    case 'TSUnionType':
      return either(node.types.map(wordType));
    case 'TSTypeReference':
      return wordReference(node);
    default:
      throw new Error(`src/config/define: no words for ${node.type}`);
  }
}

function wordReference({ typeName: { name }, typeArguments, typeParameters }) {
  if (name === 'Record') return `map of name to ${wordType((typeArguments ?? typeParameters).params[1])}`;
  if (EXPLAINED[name]) return EXPLAINED[name];
  throw new Error(`src/config/define: no words for ${name}`);
}

function toTypescript(value) {
  const text = `import { defineConfig } from 'upkeep';\n\nexport default defineConfig(${JSON.stringify(value)});`;
  // Wide enough for the page, and with every map of some size on lines of its own.
  return format(text.replaceAll('":{', '":{\n'), { parser: 'typescript', singleQuote: true, printWidth: 90 });
}

/** What `upkeep check` prints for a file with mistakes. */
function diagnose() {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-docs-'));
  try {
    cpSync(join(ROOT, 'docs/templates/bad'), folder, { recursive: true });
    const output = check(folder);
    const text = readFileSync(join(folder, 'upkeep.config.yaml'), 'utf8');
    return [fence('yaml', text), fence('text', `$ upkeep check\n${output}`)].join('\n\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function check(folder) {
  const cli = ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts')];
  try {
    execFileSync(process.execPath, [...cli, 'check'], {
      cwd: folder,
      env: { PATH: process.env.PATH, NO_COLOR: '1' },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    if (error.status === 3) return error.stderr.replaceAll(folder, '/srv/shop');
    throw error;
  }
  throw new Error('docs/templates/bad: there is nothing wrong with it');
}

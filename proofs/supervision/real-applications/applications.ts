/** The applications of the proof: of which processes each one's tree consists, and how it shows that it works. */
import { ask, pass } from './questions.js';

export interface Application {
  readonly service: string;
  /** The first role whose pattern fits a command line is that of the process. */
  readonly roles: readonly Role[];
  readonly port: number | null;
  /** Whether it gives its own content, not just any answer. */
  readonly answers: () => Promise<boolean>;
}

export interface Role {
  readonly name: string;
  readonly pattern: RegExp;
  /** `any`: comes and goes, or depends on the machine; it must still be gone when its service is stopped. */
  readonly count: number | 'any';
}

/** The ports of apps/upkeep.config.yaml are written from here on. */
export const WRITTEN_PORT = 18_400;

export const NPM_PROJECTS = ['egg', 'node-red', 'verdaccio'] as const;

const NPM: Role = { name: 'npm', pattern: /^npm (?:start|exec)\b/, count: 1 };
/** dash stays as the parent of what npm runs, bash becomes it. */
const SHELL_OF_NPM: Role = { name: 'sh', pattern: /^sh -c /, count: 'any' };
const EGG: readonly Role[] = [
  { name: 'egg-scripts', pattern: /\.bin\/egg-scripts start/, count: 1 },
  { name: 'master', pattern: /egg-scripts\/lib\/start-cluster/, count: 1 },
  { name: 'agent', pattern: /egg-cluster\/lib\/agent_worker/, count: 1 },
  { name: 'worker', pattern: /egg-cluster\/lib\/app_worker/, count: 2 },
];
const PIPELINE: readonly Role[] = [
  { name: 'sh', pattern: /^\/bin\/sh -c /, count: 1 },
  { name: 'tail', pattern: /^tail /, count: 1 },
  { name: 'grep', pattern: /^grep /, count: 1 },
  { name: 'tee', pattern: /^tee /, count: 1 },
];

export function applicationsAt(folder: string, basePort: number): readonly Application[] {
  const web = (service: string, offset: number, content: Content, roles: readonly Role[]): Application => {
    const port = basePort + offset;
    const answers = (): Promise<boolean> =>
      ask(`http://127.0.0.1:${port}${content.path ?? '/'}`, content.text);
    return { service, roles, port, answers };
  };
  const egg = { text: 'the Egg shop' };
  return [
    web('egg-npm', 0, egg, [NPM, SHELL_OF_NPM, ...EGG]),
    web('egg-npx', 1, egg, [NPM, SHELL_OF_NPM, ...EGG]),
    web('egg-direct', 2, egg, EGG),
    web('node-red', 3, { path: '/greeting', text: 'a flow of Node-RED' }, [
      { name: 'node-red', pattern: /node-red/, count: 1 },
    ]),
    web('verdaccio', 4, { text: 'the registry of the proof' }, [
      NPM,
      SHELL_OF_NPM,
      // It changes its title to that of its web page, as far as there is room.
      { name: 'verdaccio', pattern: /verdaccio|^the registry/, count: 1 },
    ]),
    web('typescript', 5, { text: 'typed TypeScript' }, [
      // Compiles for tsx, and leaves once there is nothing to compile.
      { name: 'esbuild', pattern: /esbuild --service/, count: 'any' },
      { name: 'node', pattern: /server\.ts$/, count: 1 },
    ]),
    web('python', 6, { text: 'files of Python' }, [{ name: 'python', pattern: /http\.server/, count: 1 }]),
    { service: 'pipeline', roles: PIPELINE, port: null, answers: () => pass(`${folder}/pipeline`) },
  ];
}

interface Content {
  /** @default '/' */
  readonly path?: string;
  readonly text: string;
}

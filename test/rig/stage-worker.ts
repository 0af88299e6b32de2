/** One stage in a process of its own: the job comes by stdin, what came out is printed. */
import { text } from 'node:stream/consumers';
import { installDependencies } from '../../src/release/install/install-dependencies.js';
import type { StageJob } from '../../src/release/job.js';
import { stageBuild } from '../../src/release/stage/stage-build.js';
import { Listener } from './release-job.js';

const stage = process.argv[2] === 'install' ? installDependencies : stageBuild;
const result = await stage(JSON.parse(await text(process.stdin)) as StageJob, new Listener());
console.log(result.text);

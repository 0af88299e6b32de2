/** Tells the daemon that something was deployed, or has changed, that it did not do itself. */
import { connectIfUsed, homeFrom } from '../client/index.js';
import { wordMarks } from './output/error-kind.js';
import { print, printJson } from './output/print.js';

export interface DeployMark {
  /** None: all. */
  readonly services: readonly string[];
  readonly text: string;
}

export async function setDeployMark(
  { services, text }: DeployMark,
  json: boolean | undefined,
): Promise<void> {
  const body = { services: [...services], text };
  const marks = await connectIfUsed(homeFrom(process.env)).call('mark', { body });
  if (json) printJson(marks);
  else print(wordMarks(marks));
}

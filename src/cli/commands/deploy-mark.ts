import { defineCommand, JSON_OPTION } from '../command.js';
import { setDeployMark } from '../deploy-mark.js';

export const command = defineCommand({
  summary: 'Say that another tool has deployed: kinds of errors that are first seen from now on are new',
  usage: 'deploy-mark [service...]',
  examples: ['upkeep deploy-mark api --version 1.4.2', 'upkeep deploy-mark --text "new certificates"'],
  options: {
    version: { type: 'string', value: 'version', description: 'what was deployed' },
    text: { type: 'string', value: 'text', description: 'what else is to be known of it' },
    json: JSON_OPTION,
  },
  operands: 'services',
  async run({ values: { version, text, json }, operands }) {
    const words = [...(version ? [`deployed ${version}`] : []), ...(text ? [text] : [])];
    await setDeployMark({ services: operands, text: words.join(', ') }, json);
  },
});

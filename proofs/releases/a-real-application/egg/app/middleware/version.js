const { readFileSync } = require('node:fs');
const { join } = require('node:path');

/** Every answer says which version it is of, and which Egg has loaded that. */
module.exports = (options, { baseDir }) => {
  const version = `${read(baseDir)} on Egg ${read(join(baseDir, 'node_modules/egg'))}`;
  return async (ctx, next) => {
    ctx.set('x-version', version);
    await next();
  };
};

function read(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

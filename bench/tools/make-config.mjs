// make-config.mjs upkeep|pm2 N PROGRAM [ARG...]: N services s0, s1, …, one process each. JSON is YAML too.
const [manager, n, program, ...args] = process.argv.slice(2);
const names = Array.from({ length: Number(n) }, (_, index) => `s${index}`);
const isScript = /\.[cm]?js$/.test(program);

const config = {
  upkeep: () => ({
    services: Object.fromEntries(
      names.map((name) => [name, isScript ? { script: program, args } : { command: [program, ...args] }]),
    ),
  }),
  pm2: () => ({
    apps: names.map((name) => ({ name, script: program, args, ...(!isScript && { interpreter: 'none' }) })),
  }),
};
console.log(JSON.stringify(config[manager](), null, 2));

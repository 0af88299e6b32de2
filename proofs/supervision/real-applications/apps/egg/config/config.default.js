module.exports = ({ baseDir }) => ({
  keys: 'of the proof, not secret',
  cluster: { listen: { hostname: '127.0.0.1' } },
  // By default it writes to the home folder of its user, whatever HOME says.
  logger: { dir: `${baseDir}/logs` },
});

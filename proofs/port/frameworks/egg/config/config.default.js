module.exports = ({ baseDir }) => ({
  keys: 'of the proof, not secret',
  security: { csrf: { enable: false } },
  // By default it writes to the home folder of its user, whatever HOME says.
  logger: { dir: `${baseDir}/logs` },
});

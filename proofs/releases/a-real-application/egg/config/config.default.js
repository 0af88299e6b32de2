module.exports = ({ baseDir }) => ({
  keys: 'of the proof, not secret',
  middleware: ['version'],
  security: { csrf: { enable: false } },
  // By default it writes to the home folder of its user, whatever HOME says. Linked, because a release is not written to.
  logger: { dir: `${baseDir}/logs` },
});

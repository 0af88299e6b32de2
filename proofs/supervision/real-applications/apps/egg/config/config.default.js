module.exports = {
  keys: 'of the proof, not secret',
  cluster: { listen: { hostname: '127.0.0.1' } },
};

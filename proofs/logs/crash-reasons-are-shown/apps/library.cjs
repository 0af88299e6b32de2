// Somebody else's code.
exports.work = () => {
  throw new Error('of a library');
};

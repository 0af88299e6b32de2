require('./good.js');
setTimeout(() => {
  console.error('lost the connection to the queue');
  process.exit(3);
}, 3000);

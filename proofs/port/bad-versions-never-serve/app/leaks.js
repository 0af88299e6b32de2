require('./good.js');
const leak = [];
setInterval(() => leak.push(Buffer.alloc(10 * 1024 * 1024, 1)), 100);

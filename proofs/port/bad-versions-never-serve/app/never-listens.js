console.log('still connecting to the database');
setInterval(() => undefined, 1000);

process.env.PORT = process.env.OTHER_PORT;
require('./good.js');

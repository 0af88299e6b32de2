// Ends with the code 7 when it is told to, and by any other signal as the system has it.
process.on('SIGUSR2', () => process.exit(7));
setInterval(() => {}, 1 << 30);

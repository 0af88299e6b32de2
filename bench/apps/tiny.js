// The smallest long-lived program: no server, no output.
setInterval(() => {}, 1 << 30);

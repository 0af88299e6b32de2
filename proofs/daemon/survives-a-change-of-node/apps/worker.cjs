// Works through the night, without a port that would keep a second one away.
setInterval(() => {}, 1000);

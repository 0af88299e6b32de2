// Prints 1,000 numbered lines a second; at SIGTERM how many there were.
const origin = `${process.env.UPKEEP_SERVICE}.${process.env.UPKEEP_INSTANCE}`;
const startedAt = Date.now();
let count = 0;

const timer = setInterval(() => {
  const due = Date.now() - startedAt;
  while (count < due) console.log(`${origin} ${count++} ${'.'.repeat(count % 60)}`);
}, 5);

process.on('SIGTERM', () => {
  clearInterval(timer);
  console.log(`${origin} done ${count}`);
});

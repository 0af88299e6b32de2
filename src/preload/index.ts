/**
 * The part of upkeep that lives inside managed applications of Node (7.10 and newer): it gives them the sockets of their
 * service where they listen, tells upkeep what they serve, lets their connections end before they are stopped, keeps their last
 * words and says why they crash.
 * After listen() it does nothing until upkeep asks, but for two words for each request.
 */
import { attempt } from './attempt.js';
import { Guest } from './guest.js';
import { isWorkerThread, takeEnvironment } from './environment.js';
import { keepLastWords } from './output.js';

attempt(() => {
  Reflect.deleteProperty(require.cache, module.filename);
  const setup = takeEnvironment();
  if (!setup) return;
  if (setup.blocking && !isWorkerThread) keepLastWords();
  Guest.enter(setup);
});

/**
 * The part of upkeep that lives inside managed applications of Node (7.10 and newer): it gives them the sockets of their
 * service where they listen, tells upkeep what they serve, and lets their connections end before they are stopped.
 * Without a request of upkeep it does nothing after listen(): no work per connection or request.
 */
import { attempt } from './attempt.js';
import { Guest } from './guest.js';
import { takeEnvironment } from './environment.js';

attempt(() => {
  Reflect.deleteProperty(require.cache, module.filename);
  const setup = takeEnvironment();
  if (setup) Guest.enter(setup);
});

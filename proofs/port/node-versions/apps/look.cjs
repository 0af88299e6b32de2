// What an application can see of the process that it is in; runs on every Node since 7.
'use strict';
const childProcess = require('child_process');
const net = require('net');

const HOOKED = [
  [net.Server.prototype, '_listen2'],
  [net, '_createServerHandle'],
  [childProcess.ChildProcess.prototype, 'spawn'],
];

exports.look = function look() {
  return {
    listeners: listenersOf(process),
    argv: process.argv,
    execArgv: process.execArgv,
    env: process.env,
    send: typeof process.send,
    connected: process.connected,
    title: process.title,
    cache: Object.keys(require.cache),
    properties: [global, process, net, childProcess].map((object) =>
      Object.getOwnPropertyNames(object).sort().join()
    ),
    preloadModules: process._preload_modules,
    handles: kinds(process._getActiveHandles()),
    resources: process.getActiveResourcesInfo && process.getActiveResourcesInfo().filter(isLasting),
    functions: HOOKED.map((place) => traits(place[0], place[1])),
  };
};

exports.lookAt = function lookAt(server) {
  return {
    address: server.address(),
    listeners: listenersOf(server),
    properties: Object.getOwnPropertyNames(server).sort().join(),
    symbols: Object.getOwnPropertySymbols(server).map(String).sort().join(),
    key: server._connectionKey,
    handle: server._handle.constructor.name,
    handles: kinds(process._getActiveHandles()),
  };
};

function listenersOf(emitter) {
  return emitter.eventNames().map((name) => [String(name), emitter.listeners(name).map(String)]);
}

function kinds(handles) {
  return handles.map((handle) => (handle ? handle.constructor.name : 'null'));
}

/** Loaders read files at their own pace. */
function isLasting(resource) {
  return !resource.startsWith('FSReq');
}

function traits(object, name) {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  const its = descriptor.value;
  return [its.name, its.length, descriptor.enumerable, descriptor.configurable, descriptor.writable];
}

/**
 * The modules of Node that the preload uses, required as they are: esbuild would wrap an `import` of each file in a copy,
 * which costs more than all the rest. Others are only required where the application has loaded them already.
 */
export const fs = require('node:fs') as typeof import('node:fs');
export const net = require('node:net') as typeof import('node:net');
export const path = require('node:path') as typeof import('node:path');

export const major = Number(process.versions.node.split('.')[0]);

'use strict';

const { Controller } = require('egg');

/** Logs 64 KiB for each request. */
module.exports = class HomeController extends Controller {
  index() {
    console.log('x'.repeat(64 * 1024));
    this.ctx.body = 'the Egg shop';
  }
};

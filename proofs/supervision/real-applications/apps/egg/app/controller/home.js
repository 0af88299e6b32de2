const { Controller } = require('egg');

module.exports = class HomeController extends Controller {
  async index() {
    this.ctx.body = `the Egg shop, served by worker ${process.pid}`;
  }
};

const { Controller } = require('egg');
const { Readable } = require('node:stream');
const { buffer } = require('node:stream/consumers');
const { crc32 } = require('node:zlib');
const { download } = require('../download');

module.exports = class HomeController extends Controller {
  async pid() {
    const { id, ms = 0 } = this.ctx.query;
    await new Promise((resolve) => setTimeout(resolve, Number(ms)));
    this.ctx.body = { pid: process.pid, id };
  }

  async sum() {
    const body = await buffer(this.ctx.req);
    this.ctx.body = { pid: process.pid, id: this.ctx.query.id, bytes: body.length, crc32: crc32(body) };
  }

  async download() {
    this.ctx.type = 'text';
    this.ctx.body = Readable.from(download(this.ctx.query), { objectMode: false });
  }
};

// @ts-nocheck
import { Controller, Get, HttpCode, Post, Query, Req, StreamableFile } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { AppService } from './app.service.js';
import { download } from './download.js';

@Controller()
export class AppController {
  constructor(private readonly service: AppService) {}

  @Get('pid')
  async pid(@Query('id') id: string, @Query('ms') ms = '0'): Promise<object> {
    await wait(Number(ms));
    return { pid: process.pid, id };
  }

  @Post('sum')
  @HttpCode(200)
  async sum(@Query('id') id: string, @Req() request: IncomingMessage): Promise<object> {
    return { pid: process.pid, id, ...this.service.sum(await buffer(request)) };
  }

  @Get('download')
  download(@Query('bytes') bytes = '65536', @Query('ms') ms = '0'): StreamableFile {
    const chunks = download({ bytes: Number(bytes), ms: Number(ms) });
    return new StreamableFile(Readable.from(chunks, { objectMode: false }));
  }
}

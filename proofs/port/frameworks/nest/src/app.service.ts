// @ts-nocheck -- checked where its packages are: the proof builds it with tsc
import { Injectable } from '@nestjs/common';
import { crc32 } from 'node:zlib';

@Injectable()
export class AppService {
  sum(body: Buffer): { bytes: number; crc32: number } {
    return { bytes: body.length, crc32: crc32(body) };
  }
}

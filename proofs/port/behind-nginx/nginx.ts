/** Debian's nginx in front of one port, with the keep-alive to the application that its manual recommends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isListening, until } from '../../../test/rig/index.js';

const PROGRAM = '/usr/sbin/nginx';

export class Nginx implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(folder: string) {
    const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
    this.#process = spawn(PROGRAM, args, { stdio: 'inherit' });
    this.#exited = once(this.#process, 'exit');
  }

  static async start(folder: string, port: number, applicationPort: number): Promise<Nginx> {
    await mkdir(folder);
    await writeFile(join(folder, 'nginx.conf'), configuration(port, applicationPort));
    const nginx = new Nginx(folder);
    await until('nginx listens', () => isListening(port));
    return nginx;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#exited;
  }
}

function configuration(port: number, applicationPort: number): string {
  return `
daemon off;
worker_processes 1;
user root;
pid nginx.pid;
error_log error.log error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream application {
    server 127.0.0.1:${applicationPort};
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 1m;
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}

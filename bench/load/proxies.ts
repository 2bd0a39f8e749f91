import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { NotInstalled } from '../harness/not-installed.ts'
import type { AddressInfo } from 'node:net'

/** A caching proxy in front of an origin, in processes of its own. */
export interface Proxy {
  readonly name: string
  readonly version: string
  readonly origin: string
  stop(): Promise<void>
}

/** How long a proxy may take until it accepts connections. */
const START_MS = 10_000

/**
 * nginx with one worker and `proxy_cache`, as its documentation advises for speed: no log, responses sent by `sendfile`, open
 * files remembered, connections to the origin kept.
 */
export function startNginx(originPort: number): Promise<Proxy> {
  return start('nginx', ['-v'], /nginx\/([\d.]+)/, async (port, folder) => {
    const conf = join(folder, 'nginx.conf')
    await writeFile(conf, nginxConf(port, originPort, folder))
    return ['-p', folder, '-c', conf]
  })
}

/** Varnish with one pool of threads, which serve a connection each, and its store in memory. */
export function startVarnish(originPort: number): Promise<Proxy> {
  return start('varnishd', ['-V'], /varnish-([\d.]+)/, async (port, folder) => {
    const vcl = join(folder, 'default.vcl')
    await writeFile(vcl, varnishConf(originPort))
    const listen = ['-a', `127.0.0.1:${port}`, '-n', join(folder, 'work'), '-f', vcl]
    return ['-j', 'none', '-F', ...listen, '-s', 'malloc,64m', '-p', 'thread_pools=1']
  })
}

async function start(
  command: string,
  versionArgs: readonly string[],
  versionIn: RegExp,
  configure: (port: number, folder: string) => Promise<string[]>,
): Promise<Proxy> {
  const version = versionIn.exec(versionOf(command, versionArgs))?.[1] ?? 'unknown'
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), `tiercache-bench-${command}-`))
  const child = spawn(command, await configure(port, folder), { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text) => (said += text))
  const exited = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  const origin = `http://127.0.0.1:${port}`
  const giveUpAt = performance.now() + START_MS
  while (!(await answers(origin))) {
    if (child.exitCode === null && performance.now() < giveUpAt) continue
    await stop()
    throw new Error(`${command} does not answer: ${said}`)
  }
  return { name: command, version, origin, stop }
}

function versionOf(command: string, args: readonly string[]): string {
  try {
    return execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args], { encoding: 'utf8' })
  } catch {
    throw new NotInstalled(command, 'on Debian: apt-get install nginx varnish')
  }
}

async function answers(origin: string): Promise<boolean> {
  try {
    await (await fetch(origin, { signal: AbortSignal.timeout(1000) })).arrayBuffer()
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function varnishConf(originPort: number): string {
  return `
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${originPort}"; }
sub vcl_deliver {
  if (obj.hits > 0) { set resp.http.Cache-Status = "varnish; hit"; }
}
`
}

function nginxConf(port: number, originPort: number, folder: string): string {
  return `
daemon off;
user ${userInfo().username};
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; multi_accept on; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=bench:10m use_temp_path=off;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 4; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache bench;
      add_header Cache-Status "nginx; $upstream_cache_status";
    }
  }
}
`
}

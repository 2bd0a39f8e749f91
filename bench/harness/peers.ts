import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { root } from './root.ts'
import type { RequestHandler } from 'express'
import type { Variant, VariantContext, Variants } from './variant.ts'

/** Other caches that do what one of ours does, each in the file of `bench/peers/` that has its name. */
const PEERS = ['bentocache', 'cacheable', 'cache-manager', 'layered-loader', 'async-cache-dedupe'] as const

export type PeerName = (typeof PEERS)[number]

/** Caches of responses, for Express. */
export const HTTP_PEERS = ['apicache'] as const

export type HttpPeerName = (typeof HTTP_PEERS)[number]

/** How a peer is set up. `load` computes a value that is not there. */
export interface PeerSetting<Value> {
  readonly url: string
  readonly connection: { readonly host: string; readonly port: number }
  readonly entriesMost: number
  readonly ttlMs: number
  readonly load: (key: string) => Value
}

/** A peer, ready: its `getOrSet`, under whatever name. */
export interface OpenedPeer<Value> {
  readonly read: (key: string) => Promise<Value | undefined>
  readonly close: () => Promise<void>
}

interface Peer {
  readonly inMemory: <Value>(setting: PeerSetting<Value>) => OpenedPeer<Value>
  readonly onRedis: <Value>(setting: PeerSetting<Value>) => OpenedPeer<Value>
}

interface HttpPeer {
  readonly middleware: () => RequestHandler
}

const folder = new URL('bench/peers/', root)

/** A peer with the values in this process, or in Redis alone. */
export async function openPeer<Value>(
  name: PeerName,
  where: keyof Peer,
  { redisUrl, ttlMs, load }: { redisUrl: string; ttlMs: number; load: (key: string) => Value },
): Promise<OpenedPeer<Value>> {
  const peer = (await import(new URL(`${name}.mjs`, folder).href)) as Peer
  const { hostname, port } = new URL(redisUrl)
  const connection = { host: hostname, port: Number(port) }
  return peer[where]({ url: redisUrl, connection, entriesMost: 10_000, ttlMs, load })
}

export async function openHttpPeer(name: HttpPeerName): Promise<HttpPeer> {
  return (await import(new URL(`${name}.mjs`, folder).href)) as HttpPeer
}

/** One variant for each peer. */
export function peerVariants(open: (name: PeerName, context: VariantContext) => Promise<Variant>): Variants {
  return Object.fromEntries(PEERS.map((name) => [name, (context: VariantContext) => open(name, context)]))
}

/** The names of the peers, once they are installed: they have a `package.json` of their own. */
export function installedPeers(tell: (line: string) => void): readonly PeerName[] {
  installPeers(tell)
  return PEERS
}

export function installPeers(tell: (line: string) => void): void {
  if ([...PEERS, ...HTTP_PEERS].every((name) => existsSync(packageOf(name)))) return
  tell('the peers are not installed: npm ci --prefix bench/peers')
  const { status } = spawnSync('npm', ['ci', '--prefix', fileURLToPath(folder), '--no-audit', '--no-fund'], {
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('the peers cannot be installed: npm ci --prefix bench/peers has failed')
}

/** The versions of the peers. */
export function peerVersions(names: readonly (PeerName | HttpPeerName)[] = PEERS): Readonly<Record<string, string>> {
  const versionOf = (name: string) => (JSON.parse(readFileSync(packageOf(name), 'utf8')) as { version: string }).version
  return Object.fromEntries(names.map((name) => [name, versionOf(name)]))
}

function packageOf(name: string): URL {
  return new URL(`node_modules/${name}/package.json`, folder)
}

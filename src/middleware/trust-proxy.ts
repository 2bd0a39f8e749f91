import { BlockList, isIP } from 'node:net'
import { badValue } from '../errors.ts'

/**
 * Which proxies in front are believed what they say about the client's request: in `X-Forwarded-Host` and
 * `X-Forwarded-Proto`.
 *
 * - `false`: none.
 * - `true`: any. Only where nobody but a proxy that sets or removes these fields can reach the server.
 * - addresses and subnets: those (`'10.0.0.0/8'`, `'::1'`), or `'loopback'`, `'linklocal'`, `'uniquelocal'`.
 * - a function: those for whose address it says `true`. Where it throws, nobody is believed.
 */
export type TrustProxy = boolean | string | readonly string[] | ((address: string | undefined) => boolean)

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** Reads the option. Throws `ERR_INVALID_OPTION`, naming it. */
export function readTrustProxy(name: string, value: unknown): (address: string | undefined) => boolean {
  if (value === undefined || typeof value === 'boolean') return () => value === true
  if (typeof value === 'function') {
    return (address) => {
      try {
        return value(address) === true
      } catch {
        return false
      }
    }
  }
  const list = new BlockList()
  const words: unknown[] = Array.isArray(value) ? value : [value]
  const subnets = words.flatMap(
    (word): readonly unknown[] => (typeof word === 'string' ? NAMED[word] : undefined) ?? [word],
  )
  if (!subnets.every((subnet) => addTo(list, subnet))) {
    throw badValue('ERR_INVALID_OPTION', name, EXPECTED, value)
  }
  return (address = '') => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
}

const EXPECTED = "true, false, a function, or addresses like '10.0.0.1', '10.0.0.0/8', 'loopback'"

function addTo(list: BlockList, subnet: unknown): boolean {
  if (typeof subnet !== 'string') return false
  const [address = '', bits, more] = subnet.split('/')
  const family = isIP(address)
  const most = family === 4 ? 32 : 128
  const prefix = bits === undefined ? most : Number(bits)
  if (family === 0 || more !== undefined || !/^\d{1,3}$/.test(bits ?? '0') || prefix > most) return false
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6')
  return true
}

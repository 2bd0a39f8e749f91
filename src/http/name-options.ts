import { badValue } from '../errors.ts'
import { AUTHORITY } from './authority.ts'

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const NEVER_TARGETED = ['cache-control', 'expires', 'pragma']

/** Fields that may speak to a cache in place of Cache-Control: names in lower case. Throws `ERR_INVALID_OPTION`. */
export function readTargeted(name: string, value: unknown): readonly string[] {
  const names = lowerCase(value)
  if (!names?.every((each) => FIELD_NAME.test(each) && !NEVER_TARGETED.includes(each))) {
    throw badValue('ERR_INVALID_OPTION', name, 'a list of field names other than Cache-Control and Expires', value)
  }
  return names
}

/** Names in lower case. Throws `ERR_INVALID_OPTION`. */
export function readFieldNames(name: string, value: unknown): readonly string[] {
  const names = lowerCase(value)
  if (names?.every((each) => FIELD_NAME.test(each))) return names
  throw badValue('ERR_INVALID_OPTION', name, 'a list of field names', value)
}

/** Authorities in lower case. Throws `ERR_INVALID_OPTION`. */
export function readHosts(name: string, value: unknown): readonly string[] {
  const hosts = lowerCase(value)
  if (hosts?.every((host) => AUTHORITY.test(host))) return hosts
  throw badValue('ERR_INVALID_OPTION', name, 'a list of hosts such as shop.example or localhost:3000', value)
}

/** The texts of a list of texts; `undefined` for what is none. */
function lowerCase(value: unknown): readonly string[] | undefined {
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
  return isList ? value.map((each: string) => each.toLowerCase()) : undefined
}

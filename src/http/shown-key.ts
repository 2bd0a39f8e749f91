import { keyedTarget } from './request-key.ts'
import { nominated } from './vary.ts'
import type { HttpRequest } from './message.ts'
import type { KeySettings } from './request-key.ts'

/** What of a request tells its resource from others, for people: its URL as far as it counts, and the fields that the options declare. */
export function shownKey(request: HttpRequest, settings: KeySettings): string {
  const { method, scheme, host = '', target } = request
  const url = `${scheme}://${host.toLowerCase()}${keyedTarget(target, settings.query)}`
  const fields = settings.keyHeaders.map(
    (name) => ` ${name}=${nominated(request.headers, name, settings.normalize.by)}`,
  )
  const text = `${method === 'QUERY' ? 'QUERY ' : ''}${url}${fields.join('')}`
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text
}

const LONGEST_SHOWN = 2048

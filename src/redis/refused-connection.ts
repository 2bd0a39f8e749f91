import { connect } from 'node:net'

/** An address that is silent for so long says nothing. */
const SILENCE_MOST_MS = 1000

/** Why no connection can be made to an address; `undefined` where one can, or where that is not found out in time. */
export function whyRefused(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: SILENCE_MOST_MS }).unref()
    const end = (reason?: string) => {
      socket.destroy()
      resolve(reason)
    }
    socket.once('connect', () => end())
    socket.once('timeout', () => end())
    // Of a name with several addresses the error has a code only.
    socket.on('error', ({ message, code }: NodeJS.ErrnoException) => end(message || code))
  })
}

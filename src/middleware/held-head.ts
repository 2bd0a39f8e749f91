import type { ServerResponse } from 'node:http'

/**
 * Keeps back the head of a response that has no content while its body is still read along: HTTP/2 closes such a response with
 * its head, and a stream that the application pipes into it would stand still. To the application it looks sent. Answers
 * what sends it.
 */
export function holdHead(res: ServerResponse, send: () => void): () => void {
  Object.defineProperty(res, 'headersSent', { value: true, configurable: true })
  let isHeld = true
  return () => {
    if (!isHeld) return
    isHeld = false
    Reflect.deleteProperty(res, 'headersSent')
    send()
  }
}

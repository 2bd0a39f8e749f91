import type { ErrorCode } from '../errors.ts'
import { TierCacheError } from '../errors.ts'
import type { MissingRight } from './rights.ts'
import { readMissingRight } from './rights.ts'

/** What became of a command that was not answered as it should be. */
export interface Failure {
  readonly error: TierCacheError
  /** The server or the way to it is at fault, not this command. */
  readonly isOfServer: boolean
  readonly isScriptMissing: boolean
  /** The server does not hold the slot: the command is to be sent elsewhere. */
  readonly isRedirected: boolean
  /** There is no room for what the command was to write. */
  readonly isMemoryFull: boolean
  /** The server takes no writes: it is a replica, perhaps since a moment ago. */
  readonly isOfReplica: boolean
  readonly missingRight: MissingRight | undefined
}

/**
 * Replies that say that this server cannot serve now, whatever it is asked. Those of a Cluster that are about one slot are
 * none of them: it is on the move (TRYAGAIN), or nobody serves it (CLUSTERDOWN), while the server serves others.
 */
const SERVER_STATES = /^(READONLY|LOADING|MASTERDOWN|UNKILLABLE|BUSY)\b/

/** Reads a rejection. `prefix`: the first word of the names that the command was about. */
export function failureOf(command: string, error: unknown, prefix: string): Failure {
  if (error instanceof TierCacheError) return unanswered(error)
  if (!isRefusal(error)) {
    const message = `${command} failed: ${wordsOfLoss(error instanceof Error ? error.message : String(error))}`
    return unanswered(new TierCacheError('ERR_REDIS_LOST', message))
  }
  const reply = withoutScript(error.message)
  const code: ErrorCode = 'ERR_REDIS_REPLY'
  return {
    // No `cause`: errors of ioredis carry the command's arguments, values included.
    error: new TierCacheError(code, `${command} failed: ${withoutArguments(reply)}`),
    isOfServer: SERVER_STATES.test(reply),
    isScriptMissing: reply.startsWith('NOSCRIPT'),
    isRedirected: /^(MOVED|ASK) /.test(reply),
    isMemoryFull: saysMemoryFull(reply),
    isOfReplica: reply.startsWith('READONLY'),
    missingRight: readMissingRight(reply, command, prefix),
  }
}

/** The failure of a command to which nothing came back. */
function unanswered(error: TierCacheError): Failure {
  return {
    error,
    isOfServer: true,
    isScriptMissing: false,
    isRedirected: false,
    isMemoryFull: false,
    isOfReplica: false,
    missingRight: undefined,
  }
}

/** Whether the server has answered, and that with an error. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/** Where a server of a Cluster sent us, because it does not hold the slot (any more). It has done nothing. */
export interface Redirection {
  readonly word: 'MOVED' | 'ASK'
  /** `host:port`; `:port` where the host is that of the server which says so. */
  readonly address: string
}

/** Reads a redirection; `undefined` for whatever else went wrong. */
export function redirectionOf(error: unknown): Redirection | undefined {
  const message = error instanceof Error ? error.message : ''
  const [, word, address] = /\b(MOVED|ASK) \d+ (\S*:\d+)/.exec(message) ?? []
  return word === undefined || address === undefined ? undefined : { word: word as Redirection['word'], address }
}

/** Whether a server of a Cluster says that nobody serves the slot, or any. */
export function saysUnserved(error: unknown): boolean {
  return error instanceof Error && /^(\S+ failed: )?CLUSTERDOWN\b|while the cluster is down/.test(error.message)
}

/** Whether a server of a Cluster says that it has a part of the keys only: their slot is on the move. */
export function saysOnTheMove(error: unknown): boolean {
  return error instanceof Error && /^(\S+ failed: )?TRYAGAIN\b/.test(error.message)
}

/** Whether an error of the server, or one that a script hands on, says that there is no room. */
export function saysMemoryFull(reply: string): boolean {
  return withoutScript(reply).startsWith('OOM ')
}

/** A message of ioredis or of the server, without the values of the application that it may carry. */
export function withoutArguments(message: string): string {
  const cut = message.indexOf(', with args beginning with')
  return (cut < 0 ? message : message.slice(0, cut)).slice(0, 200)
}

/** Before 7, Redis puts the place in the script before the error of a command that it called, once or twice. */
const PLACE_IN_SCRIPT = /^(?:ERR Error running script \(call to \w+\): )?(?:@user_script: ?\d+: )+-?/

function withoutScript(reply: string): string {
  return reply.replace(PLACE_IN_SCRIPT, '').trimEnd()
}

/** ioredis speaks of its settings, which on connections of ours are not the application's. */
function wordsOfLoss(message: string): string {
  if (/^(Reached the max retries|Connection is closed|Command aborted)/.test(message)) {
    return 'the connection was lost before the answer'
  }
  if (/^Stream isn't writeable/.test(message)) return 'the connection was lost before the command was sent'
  return withoutArguments(message)
}

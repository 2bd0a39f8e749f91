import type { ErrorCode } from '../errors.ts'
import { TierCacheError } from '../errors.ts'

/** What became of a command that was not answered as it should be. */
export interface Failure {
  readonly error: TierCacheError
  /** The server or the way to it is at fault, not this command. */
  readonly isOfServer: boolean
  readonly isScriptMissing: boolean
  /** What the user of the connection may not do, in the words of an ACL rule (`+info`, `~tiercache:*`). */
  readonly missingRight: string | undefined
}

/** Replies that say that this server cannot serve now, whatever it is asked. */
const SERVER_STATES = /^(READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|UNKILLABLE|BUSY)\b/

/** Reads a rejection. `prefix`: the first word of the names that the command was about. */
export function failureOf(command: string, error: unknown, prefix: string): Failure {
  if (error instanceof TierCacheError) {
    return { error, isOfServer: true, isScriptMissing: false, missingRight: undefined }
  }
  const message = error instanceof Error ? error.message : String(error)
  const isReply = isRefusal(error)
  const code: ErrorCode = isReply ? 'ERR_REDIS_REPLY' : 'ERR_REDIS_LOST'
  return {
    // No `cause`: errors of ioredis carry the command's arguments, values included.
    error: new TierCacheError(code, `${command} failed: ${withoutArguments(message)}`),
    isOfServer: !isReply || SERVER_STATES.test(message),
    isScriptMissing: isReply && message.startsWith('NOSCRIPT'),
    missingRight: isReply ? missingRight(message, prefix) : undefined,
  }
}

/** Whether the server has answered, and that with an error. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

/** A message of ioredis or of the server, without the values of the application that it may carry. */
export function withoutArguments(message: string): string {
  const cut = message.indexOf(', with args beginning with')
  return (cut < 0 ? message : message.slice(0, cut)).slice(0, 200)
}

/** What our scripts call; a server does not say which of them it refused. */
const COMMANDS_OF_SCRIPTS = '+del +get +getrange +hget +hset +persist +pexpire +pttl +publish +set +setrange +time'

/** Reads the refusals of Redis 6.2, 7 and Valkey, which word them differently. */
function missingRight(message: string, prefix: string): string | undefined {
  if (!/NOPERM|The user executing the script/.test(message)) return undefined
  if (/\bkeys?\b/.test(message)) return `~${prefix}:*`
  if (/\bchannels?\b/.test(message)) return `&${prefix}:*`
  const command = /run the '([^']+)' command/.exec(message)?.[1]
  return command === undefined ? COMMANDS_OF_SCRIPTS : `+${command}`
}

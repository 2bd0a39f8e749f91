import type { RedisConnection } from './source.ts'
import type { Warning } from './warnings.ts'

/**
 * Whether a connection sends commands again that a lost one left unanswered: an instance of the application may, those that
 * we make do not. `server`: its name for people.
 */
export function resendsOf({ options }: RedisConnection, server: string): Warning | undefined {
  if (!options.autoResendUnfulfilledCommands) return undefined
  return {
    code: 'ERR_RESENDS',
    message:
      `the ioredis instance for ${server} has autoResendUnfulfilledCommands: true. What a lost connection leaves ` +
      'unanswered is sent again: a change may be carried out twice, or long after its caller was told that it is not ' +
      'acknowledged (a set and an increment carry a deadline, a deletion does not). Make the instance with ' +
      'autoResendUnfulfilledCommands: false',
    detail: { setting: 'autoResendUnfulfilledCommands', found: 'true', expected: 'false' },
  }
}

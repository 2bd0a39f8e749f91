/** What the user of a connection lacks: `right` in the words of an ACL rule, refused as it was to send `command`. */
export interface MissingRight {
  /** In the names of Redis. */
  readonly command: string
  readonly right: string
}

/**
 * What our scripts call, with arguments that change nothing where no key is: before 7.2 Redis does not say which command
 * of a script it refused, and a script that may not publish has moved the truth by then.
 */
const CALLED_BY_SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  del: [],
  get: [],
  getrange: ['0', '0'],
  hget: ['field'],
  // A field without a value: refused, but only after the right to it was looked at.
  hset: ['field', '', 'field'],
  persist: [],
  pexpire: ['1'],
  pttl: [],
  set: ['', 'XX'],
  setrange: ['0', ''],
}

/** What publishes a notice: on a Cluster from Redis 7 to the servers of its slot only. */
export type Publishing = 'PUBLISH' | 'SPUBLISH'

/**
 * The commands that ask for each right of our scripts. `name`: a name of ours that no key and no channel has; a server of
 * a Cluster that does not hold its slot looks at the right all the same, and then redirects.
 */
export function inquiries(name: string, publishes: Publishing): [command: string, ...values: string[]][] {
  // Nobody listens there.
  const called = { ...CALLED_BY_SCRIPTS, [publishes]: [''] }
  return Object.entries(called).map(([command, values]) => [command.toUpperCase(), name, ...values])
}

const ALL_OF_SCRIPTS = ['publish', 'spublish', 'time', ...Object.keys(CALLED_BY_SCRIPTS)]
  .sort()
  .map((command) => `+${command}`)
  .join(' ')

/** Reads the refusals of Redis 6.2, 7 and Valkey, which word them differently. `sent`: a command of Redis, or a script. */
export function readMissingRight(reply: string, sent: string, prefix: string): MissingRight | undefined {
  if (!/NOPERM|The user executing the script/.test(reply)) return undefined
  const named = /run the '([^']+)' command/.exec(reply)?.[1]
  if (named !== undefined) return { command: named.replace(/\|.*/, '').toUpperCase(), right: `+${named}` }
  // Scripts have names of their own here; Redis knows the command that runs them.
  const command = sent === sent.toUpperCase() ? sent : 'EVALSHA'
  if (/\bkeys?\b/.test(reply)) return { command, right: `~${prefix}:*` }
  if (/\bchannels?\b|can't publish/.test(reply)) return { command, right: `&${prefix}:*` }
  return { command, right: ALL_OF_SCRIPTS }
}

/** A program that a bench measures against is not on this machine. The bench is passed over, and the others go on. */
export class NotInstalled extends Error {
  override readonly name = 'NotInstalled'

  constructor(command: string, howTo: string) {
    super(`${command} is not installed (${howTo})`)
  }
}

/** What a text is matched by: itself, where `*` stands for anything; or a pattern, less the flags by which it remembers. */
export function patternOf(name: string | RegExp): RegExp {
  if (typeof name !== 'string') return new RegExp(name.source, name.flags.replace(/[gy]/g, ''))
  return new RegExp(`^${name.split('*').map(escaped).join('.*')}$`, 's')
}

function escaped(text: string): string {
  return text.replace(/[$()+.?[\\\]^{|}]/g, '\\$&')
}

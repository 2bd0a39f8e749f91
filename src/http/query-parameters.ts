/** One parameter of a query: as it came, and its name and value as decoded. */
export interface Parameter {
  readonly raw: string
  readonly name: string
  readonly value: string
}

/** A request target in two: its path, and what stands behind the first question mark. */
export interface SplitTarget {
  readonly path: string
  /** `undefined`: there is no question mark. */
  readonly query: string | undefined
}

export function splitTarget(target: string): SplitTarget {
  const mark = target.indexOf('?')
  return mark < 0 ? { path: target, query: undefined } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

/**
 * The parameters of a query, decoded as those of forms (WHATWG URL, section 5.1): separated by `&`, empty ones left
 * out, `+` a space, percent-encoded UTF-8, U+FFFD for what is none.
 */
export function parametersOf(query: string): readonly Parameter[] {
  const parameters: Parameter[] = []
  for (const raw of query.split('&')) {
    if (raw === '') continue
    const equals = raw.indexOf('=')
    const name = equals < 0 ? raw : raw.slice(0, equals)
    parameters.push({ raw, name: formDecoded(name), value: equals < 0 ? '' : formDecoded(raw.slice(equals + 1)) })
  }
  return parameters
}

/** How many parameters a query has at most: cheaper than to read them. */
export function countParameters(query: string): number {
  let count = 1
  for (let at = query.indexOf('&'); at >= 0; at = query.indexOf('&', at + 1)) count++
  return count
}

/** Decodes a name or value of a form; never throws. */
export function formDecoded(text: string): string {
  if (!/[+%]/.test(text)) return text
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return Buffer.from(
      spaced.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    ).toString('utf8')
  }
}

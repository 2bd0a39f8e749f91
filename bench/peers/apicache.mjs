import apicache from 'apicache'

/** A middleware of Express that keeps responses in memory. */
export function middleware() {
  return apicache.newInstance().middleware('1 hour')
}

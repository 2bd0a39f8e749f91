const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})'
const IMF_FIXDATE = new RegExp(`^[a-z]{3}, (\\d{2}) ([a-z]{3}) (\\d{4}) ${TIME} gmt$`)
const RFC_850 = new RegExp(`^[a-z]{6,9}, (\\d{2})-([a-z]{3})-(\\d{2}) ${TIME} gmt$`)
const ASCTIME = new RegExp(`^[a-z]{3} ([a-z]{3}) ([ \\d]\\d) ${TIME} (\\d{4})$`)

/**
 * Milliseconds since 1970 of an HTTP-date in any of its three forms (RFC 9110, section 5.6.7), or `undefined` for
 * anything else. `Date.parse` would take `0` for a year. `now` places the two-digit years of the second form.
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  if (text === last?.text) return last.second * 1000
  const lower = text.trim().toLowerCase()
  const imf = IMF_FIXDATE.exec(lower)
  if (imf) return instant(Number(imf[3]), imf[2], imf[1], imf.slice(4))
  const old = RFC_850.exec(lower)
  if (old) return instant(nearYear(Number(old[3]), now), old[2], old[1], old.slice(4))
  const asc = ASCTIME.exec(lower)
  if (asc) return instant(Number(asc[6]), asc[1], asc[2], asc.slice(3, 6))
  return undefined
}

/** An instant as IMF-fixdate, the one form that is sent. */
export function formatHttpDate(at: number): string {
  const second = Math.floor(at / 1000)
  if (second === last?.second) return last.text
  const text = new Date(at).toUTCString()
  if (second >= 0 && second < YEAR_10000) last = { second, text }
  return text
}

/** The last instant that was formatted: all responses of a second have the same Date, which is read as often as it is written. */
let last: { readonly second: number; readonly text: string } | undefined

/** From then on a year has more digits than an HTTP-date has room for. */
const YEAR_10000 = 253_402_300_800

/** A two-digit year more than 50 years ahead means the past century. */
function nearYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}

function instant(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  time: string[],
): number | undefined {
  const month = MONTHS.indexOf(monthName ?? '')
  const [hours, minutes, seconds] = time.map(Number)
  if (month < 0 || hours === undefined || minutes === undefined || seconds === undefined) return undefined
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined
  const dayOfMonth = Number(day)
  const date = new Date(0)
  date.setUTCFullYear(year, month, dayOfMonth)
  if (date.getUTCMonth() !== month || date.getUTCDate() !== dayOfMonth) return undefined
  return date.setUTCHours(hours, minutes, seconds)
}

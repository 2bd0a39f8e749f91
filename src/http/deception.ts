import { combined } from './message.ts'
import type { Fields } from './message.ts'

/** Endings of files that servers are used to hand out to everybody. */
const STATIC =
  /\.(?:7z|avif|avi|bmp|bz2|class|css|csv|docx?|eot|eps|exe|flac|gif|gz|ico|iso|jar|jpe?g|js|mid|midi|mjs|mkv|mp[34]|ogg|otf|pdf|pict|png|pptx?|ps|rar|svgz?|swf|tar|tiff?|ttf|wasm|webm|webp|woff2?|xlsx?|zip|zst)$/i

/** What a page or an answer of an interface is, and no such file. */
const DOCUMENT = /^(?:text\/html|application\/xhtml\+xml|application\/(?:[\w.+-]+\+)?json)$/i

/**
 * Whether somebody may have made up the path in order to have a page of one user's kept for everybody: it ends as a static
 * file does (`/account/x.css`), and the answer is a page all the same ("Web Cache Deception", Gil, 2017). Delimiters that
 * applications cut a path at, and caches do not, are taken as a part of it, encoded or not.
 */
export function looksDeceptive(target: string, fields: Fields): boolean {
  return STATIC.test(pathOf(target)) && DOCUMENT.test(mediaTypeOf(fields))
}

function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

function mediaTypeOf(fields: Fields): string {
  return (combined(fields, 'content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
}

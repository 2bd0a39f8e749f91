/** Module hooks: `tiercache` is imported from another checkout, as its own package.json says; all else as usual. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { InitializeHook, ResolveHook } from 'node:module'

let parentURL = ''

export const initialize: InitializeHook<{ readonly folder: string }> = ({ folder }) => {
  parentURL = pathToFileURL(join(folder, 'package.json')).href
}

export const resolve: ResolveHook = (specifier, context, next) =>
  next(specifier, /^tiercache(\/|$)/.test(specifier) ? { ...context, parentURL } : context)

import { brotliCompress, constants, gzip } from 'node:zlib'
import { codedFields, codingFor, codingHeld, isCompressible, withVary } from './coding.ts'
import type { Coding, CompressSettings } from './coding-options.ts'
import type { HttpRequest } from './message.ts'
import type { StoredResponse } from './stored-response.ts'

/**
 * What is known of a stored response in a coding.
 *
 * - `making`: it is on its way.
 * - `useless`: it would be no smaller, or could not be made.
 * - a response: here it is.
 */
type Coded = 'making' | 'useless' | StoredResponse

interface Made {
  readonly of: WeakRef<Forms>
  readonly coding: Coding
}

/** A stored response in its forms. */
interface Forms {
  readonly identity: StoredResponse
  readonly coded: Map<Coding, Coded>
}

/**
 * The coded forms of stored responses, in this process alone: made behind a hit, kept for as long as the response itself
 * stays in L1, and as far as they are few bytes altogether.
 */
export class CodedForms {
  readonly #settings: CompressSettings
  readonly #forms = new WeakMap<StoredResponse, Forms | 'incompressible'>()
  /** All that are made, the oldest first. They do not keep what they were made of. */
  readonly #made = new Map<StoredResponse, Made>()
  #bytes = 0
  #making = 0

  constructor(settings: CompressSettings) {
    this.#settings = settings
  }

  /** A response that L1 has, in the form in which a request wants it, as far as there is one by now. */
  formFor(stored: StoredResponse, request: HttpRequest): StoredResponse {
    const forms = this.#formsOf(stored)
    if (forms === 'incompressible') return stored
    const held = this.#formHeld(stored, request)
    if (held) return held
    const coding = codingFor(request, this.#settings)
    if (coding === 'identity') return forms.identity
    const coded = forms.coded.get(coding)
    if (coded === undefined) this.#make(forms, coding)
    return typeof coded === 'object' ? coded : forms.identity
  }

  /** A response that may not be asked for again as it is here: as it is stored, and no form of it is made. */
  plainFor(stored: StoredResponse, request: HttpRequest): StoredResponse {
    const forms = this.#formsOf(stored)
    return forms === 'incompressible' ? stored : (this.#formHeld(stored, request) ?? forms.identity)
  }

  /** The form that the client has, by If-None-Match. Its body is not sent: the answer is a 304. */
  #formHeld(stored: StoredResponse, request: HttpRequest): StoredResponse | undefined {
    const held = codingHeld(request, stored.fields, this.#settings.codings)
    return held && { ...stored, fields: codedFields(stored.fields, held, stored.body.byteLength) }
  }

  #formsOf(stored: StoredResponse): Forms | 'incompressible' {
    const known = this.#forms.get(stored)
    if (known) return known
    const forms: Forms | 'incompressible' = isCompressible(stored, this.#settings)
      ? { identity: { ...stored, fields: withVary(stored.fields) }, coded: new Map() }
      : 'incompressible'
    this.#forms.set(stored, forms)
    return forms
  }

  /** Not many at a time: the next hit asks again. */
  #make(forms: Forms, coding: Coding): void {
    if (this.#making >= MOST_AT_ONCE) return
    this.#making++
    forms.coded.set(coding, 'making')
    COMPRESS[coding](forms.identity.body, (error, bytes) => {
      this.#making--
      const most = Math.min(forms.identity.body.byteLength - 1, this.#settings.maxBytes)
      const gained = error === null && bytes.byteLength <= most
      if (gained) this.#keep(forms, coding, bytes)
      else forms.coded.set(coding, 'useless')
    })
  }

  #keep(forms: Forms, coding: Coding, bytes: Uint8Array): void {
    const { identity } = forms
    // In memory of its own: zlib gives a slice of a larger piece.
    const body = Uint8Array.prototype.slice.call(bytes)
    const form = { ...identity, body, fields: codedFields(identity.fields, coding, body.byteLength) }
    forms.coded.set(coding, form)
    this.#made.set(form, { of: new WeakRef(forms), coding })
    this.#bytes += body.byteLength
    for (const [oldest, made] of this.#made) {
      if (this.#bytes <= this.#settings.maxBytes) return
      this.#made.delete(oldest)
      this.#bytes -= oldest.body.byteLength
      made.of.deref()?.coded.delete(made.coding)
    }
  }
}

const MOST_AT_ONCE = 2

type Compress = (body: Uint8Array, done: (error: Error | null, bytes: Uint8Array) => void) => void

/** Levels at which a page takes a millisecond or two, and gets nearly as small as it can. */
const COMPRESS: Readonly<Record<Coding, Compress>> = {
  br: (body, done) => {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: 5,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.byteLength,
    }
    brotliCompress(body, { params }, done)
  },
  gzip: (body, done) => gzip(body, { level: 6 }, done),
}

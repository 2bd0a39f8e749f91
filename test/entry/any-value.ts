import fc from 'fast-check'

const text = fc.string({ unit: 'binary', maxLength: 12 })

/** Names of properties, those among them that mean something to somebody. `__proto__` alone cannot be stored. */
const name = fc
  .oneof(
    text,
    fc.constantFrom(
      'constructor',
      'toJSON',
      'then',
      'prototype',
      'hasOwnProperty',
      'toString',
      'valueOf',
      '__proto_',
      'length',
      '',
      '0',
    ),
  )
  .filter((each) => each !== '__proto__')

const bytes = fc.uint8Array({ maxLength: 24 })
const aligned = bytes.map((each) => each.slice(0, each.length - (each.length % 8)).buffer)

const leaf = fc.oneof(
  text,
  fc.boolean(),
  fc.constantFrom(
    null,
    undefined,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.MIN_VALUE,
    2 ** 53,
    -(2 ** 63),
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }),
  fc.date({ noInvalidDate: true }),
  bytes.map((each) => Buffer.from(each)),
  bytes.map((each) => each.slice().buffer),
  bytes.map((each) => new DataView(each.slice().buffer)),
  bytes.map((each) => new Uint8Array(each)),
  bytes.map((each) => new Int8Array(each)),
  bytes.map((each) => new Uint8ClampedArray(each)),
  aligned.map((each) => new Int16Array(each)),
  aligned.map((each) => new Uint16Array(each)),
  aligned.map((each) => new Int32Array(each)),
  aligned.map((each) => new Uint32Array(each)),
  aligned.map((each) => new Float32Array(each)),
  aligned.map((each) => new Float64Array(each)),
  aligned.map((each) => new BigInt64Array(each)),
  aligned.map((each) => new BigUint64Array(each)),
)

/** Any value that can be stored and comes back exactly as it was. */
export function anyValue(): fc.Arbitrary<unknown> {
  return fc
    .letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: true }),
        fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
        fc.array(tie('value'), { maxLength: 4 }).map((members) => new Set(members)),
      ),
    }))
    .value.filter((value) => value !== undefined)
}

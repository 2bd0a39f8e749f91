import { seeded } from '../harness/random.ts'

/** A record as applications cache them: some 300 bytes as JSON. */
export interface Product {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly price: number
  readonly currency: string
  readonly stock: Readonly<Record<string, number>>
  readonly tags: readonly string[]
  readonly supplier: { readonly id: number; readonly name: string; readonly country: string }
  readonly active: boolean
  readonly updatedAt: string
}

export function productOf(id: number): Product {
  const random = seeded(id)
  const upTo = (most: number) => Math.floor(random() * most)
  return {
    id,
    name: `Product number ${id}`,
    description: `A sturdy thing of oak and brass, made to last for ${upTo(90)} years`,
    price: upTo(100_000) / 100,
    currency: 'EUR',
    stock: { leipzig: upTo(500), rotterdam: upTo(500) },
    tags: [`category-${upTo(20)}`, `season-${upTo(4)}`],
    supplier: { id: upTo(200), name: `Supplier ${upTo(200)}`, country: 'NL' },
    active: random() < 0.9,
    updatedAt: new Date(1_700_000_000_000 + upTo(1e9)).toISOString(),
  }
}

export function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, id) => `product:${id}`)
}

/** Loads each of the first so many keys once; what is asked for after that was to be a hit. */
export function onceFor(count: number): (key: string) => Product {
  let loads = 0
  return (key) => {
    if (++loads > count) throw new Error('a hit was expected')
    return productOf(Number(key.slice(key.indexOf(':') + 1)))
  }
}

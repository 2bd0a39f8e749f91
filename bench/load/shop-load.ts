import { zipf } from '../harness/random.ts'

/** A request of a visitor of the example shop. */
export interface Visit {
  readonly method: 'GET' | 'PUT'
  readonly path: string
  readonly body?: string
  /** Which of the shop's processes is asked. */
  readonly shop: number
  /** When it is sent, after the start of the load. */
  readonly atMs: number
}

/** How the load is mixed. */
export interface LoadOptions {
  readonly count: number
  readonly perSecond: number
  readonly shops: number
  readonly random: () => number
}

const PRODUCTS = 20_000
const SEARCHES = 120
const things = ['lamp', 'chair', 'desk', 'shelf', 'pan', 'rug', 'bench', 'kettle', 'mirror', 'sofa', 'bowl', 'stool']
const makes = ['oak', 'walnut', 'birch', 'ash', 'cherry', 'pine', 'bamboo', 'steel', 'brass', 'copper']

/**
 * Visits whose times and aims are drawn beforehand, so that each variant gets the very same ones, however it answers:
 * in 1,000 some 797 for products and 150 for searches, by a zipf law, 50 for three top-lists, and 3 new prices.
 */
export function visitsOf({ count, perSecond, shops, random }: LoadOptions): Visit[] {
  const product = zipf(PRODUCTS, 1, random)
  const search = zipf(SEARCHES, 1, random)
  const top = zipf(3, 1, random)
  // Popular products stand anywhere among the ids: 7919 shares no factor with 20,000.
  const idOf = (rank: number) => 1 + ((rank * 7919) % PRODUCTS)
  let atMs = 0
  return Array.from({ length: count }, () => {
    atMs += (-Math.log(1 - random()) * 1000) / perSecond
    const common = { shop: Math.floor(random() * shops), atMs }
    const kind = random()
    if (kind < 0.003) {
      const price = 5 + Math.floor(random() * 500)
      return { ...common, method: 'PUT', path: `/products/${idOf(product())}/price`, body: JSON.stringify({ price }) }
    }
    if (kind < 0.053) return { ...common, method: 'GET', path: `/top?days=${[90, 30, 365][top()]}` }
    if (kind < 0.203) return { ...common, method: 'GET', path: searchPath(search()) }
    return { ...common, method: 'GET', path: `/products/${idOf(product())}` }
  })
}

function searchPath(rank: number): string {
  return `/search?q=${makes[rank % makes.length]}+${things[Math.floor(rank / makes.length)]}`
}

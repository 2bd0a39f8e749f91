/** One of the things that are measured in turn, ready in its process. */
export interface Variant {
  /** Makes ready what a round may not be charged with. */
  prepare?(): Promise<void>
  /** Does the work once; answers the count of operations. */
  work(): Promise<number>
  close?(): Promise<void>
}

/** What a variant is told. */
export interface VariantContext {
  /** A Redis of this run. */
  readonly redisUrl: string
  /** The masters of the Cluster of this run; none where its bench asks for none. */
  readonly cluster: readonly { readonly host: string; readonly port: number }[]
}

/** The export `variants` of a file in `micro/`: by name, what makes each ready. */
export type Variants = Readonly<Record<string, (context: VariantContext) => Promise<Variant>>>

/** What a round took. */
export interface Work {
  readonly operations: number
  readonly ms: number
  readonly cpuUs: number
}

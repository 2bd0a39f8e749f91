/** How many slots a Cluster shares out among its masters. */
export const SLOTS = 16_384

/** CRC-16/XMODEM, as a table of the CRCs of single bytes (Redis Cluster specification, appendix A). */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

/**
 * The slot of the keys that have this hash tag, the text between the first braces of a name (Redis Cluster
 * specification, "Hash tags").
 */
export function slotOf(hashTag: string): number {
  let crc = 0
  for (const byte of Buffer.from(hashTag)) crc = ((crc << 8) & 0xffff) ^ (TABLE[(crc >> 8) ^ byte] as number)
  return crc % SLOTS
}

/**
 * A hash tag for each of so many buckets, `number/buckets`: the first number from 0 with which the slot is in the bucket's
 * even share of all slots. So masters with as many slots get as many buckets, give or take one; numbers as they come do not
 * spread so well. The count is part of it, for keys are in other buckets with another count, and caches that differ in it
 * must not take each other's entries for their own. The only bucket of one server is `0`.
 */
export function hashTags(buckets: number): readonly string[] {
  if (buckets === 1) return ['0']
  const tags: string[] = []
  for (let number = 0, left = buckets; left > 0; number++) {
    const tag = `${number}/${buckets}`
    const share = Math.floor((slotOf(tag) * buckets) / SLOTS)
    if (tags[share] !== undefined) continue
    tags[share] = tag
    left--
  }
  return tags
}

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
 * A hash tag for each of so many buckets: of the numbers from 0, the first whose slot is in the bucket's even share of all
 * slots. So masters with as many slots get as many buckets, give or take one; numbers as they come do not spread so well.
 */
export function hashTags(buckets: number): readonly string[] {
  const tags: string[] = []
  for (let number = 0, left = buckets; left > 0; number++) {
    const share = Math.floor((slotOf(String(number)) * buckets) / SLOTS)
    if (tags[share] !== undefined) continue
    tags[share] = String(number)
    left--
  }
  return tags
}

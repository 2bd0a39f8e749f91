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

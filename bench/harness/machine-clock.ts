/** Milliseconds of a clock that all processes of this machine share (Linux and macOS: since it was started). */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

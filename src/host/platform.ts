// What this program needs of the machine.

/** Why replicas can't run here; null if they can. */
export function platformTrouble(): string | null {
  if (process.platform === 'linux') return null
  return (
    `replicas share one SIP address by SO_REUSEPORT, which deals flows to the living only on Linux; this is ` +
    `${process.platform}. The simulator (holdfast sim) runs everywhere`
  )
}

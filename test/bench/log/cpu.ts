// Processor time of processes, from /proc.

import { readFileSync } from 'node:fs'

/** The kernel counts in hundredths of a second on every machine that Linux is configured for here. */
const TICK_US = 10_000

/** Microseconds that these processes have computed so far, in their own code and in the kernel's for them. */
export function cpuOf(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses, which may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * TICK_US
}

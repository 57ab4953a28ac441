// Slow: more than 5 ms for 64 kB, and as much for anything shorter. A clock on a busy machine proves nothing by being late, nor
// does code that wasn't compiled yet: what seems slow is run again, and is slow only if it never is in time, and if the
// processor time of the runs (whose clock is coarse) says the same.

const MOST_MS = 5
/** So long it may try: hundreds of runs of what was late by little, a few of what takes seconds. */
const PATIENCE_MS = 5_000
const MEASURED_TIMES = 200

export function costMs(work: () => void): number {
  const started = performance.now()
  work()
  return performance.now() - started
}

export function isSlow(ms: number, work: () => void, patienceMs = PATIENCE_MS): boolean {
  const before = process.threadCpuUsage()
  let runs = 0
  let spent = ms
  for (let last = ms; last > MOST_MS && spent <= patienceMs; runs++) {
    last = costMs(work)
    spent += last
    if (last <= MOST_MS) return false
  }
  const { user, system } = process.threadCpuUsage(before)
  return runs > 0 && (user + system) / 1_000 / runs > MOST_MS
}

/** The least of many runs: what the work costs when nobody disturbs it. */
export function leastMs(work: () => void): number {
  let least = Infinity
  for (let i = 0; i < MEASURED_TIMES; i++) least = Math.min(least, costMs(work))
  return least
}

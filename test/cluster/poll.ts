// Waiting for a condition, with a deadline and a reason: the tests with real processes never sleep blindly.

import { setTimeout as pause } from 'node:timers/promises'

/** The first result of `look` that is not null; throws what was last seen once `deadlineMs` have passed. */
export async function until<T>(what: string, deadlineMs: number, look: () => T | null | Promise<T | null>): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
    await pause(20)
  }
}

/** As `until`, for a value that should come to satisfy `accept`; the error shows the last value that did not. */
export async function settled<T>(
  what: string,
  deadlineMs: number,
  read: () => Promise<T>,
  accept: (value: T) => boolean,
): Promise<T> {
  let last: T | undefined
  try {
    return await until(what, deadlineMs, async () => {
      last = await read()
      return accept(last) ? last : null
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}; last seen: ${JSON.stringify(last)}`, { cause: error })
  }
}

// Assertions stop the replica: they state what only a bug can break. What a peer, a phone or a disk can cause is a
// value (result.ts), never an assertion.

class AssertionError extends Error {
  override name = 'AssertionError'
}

/** Throws unless `condition` holds. Only for what a bug alone can break. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** The value, which a bug alone can make missing. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionError(message)
  return value
}

/** Closes a switch over a union: a new kind that nobody handles fails to compile. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`)
}

// What the models ask of a store of sessions. A store of yours that does not look like this is tested
// through an adapter of a few lines.
//
// What a store promises:
//   1. A version is an integer from 1. Each write of a session gets a higher version than all before, also after a delete:
//      a version that comes again lets an owner of long ago overwrite what it has never seen.
//   2. `compareAndPut` and `delete` change a session only if it is at the version `expected`; 0 = there must be none.
//   3. What was answered holds for all that is asked later: a get shows the last write, or what comes after it.
//   4. Only where replays are tested (HistoryOptions.replays): a write that comes again with the same `request` changes
//      nothing. It is answered as the first time, or refused.

/** A session as a store shows it. */
export interface Versioned {
  readonly version: number
  readonly value: string
}

/** A store that answers at once. */
export interface VersionedStore {
  /** Null = there is no such session. */
  get(session: string): Versioned | null
  /** Writes, whatever is there. Returns the new version. */
  put(session: string, value: string, request: string): number
  /** Returns the new version; null = refused, the session is not at `expected`. */
  compareAndPut(session: string, expected: number, value: string, request: string): number | null
  /** False = refused, the session is not at `expected`. */
  delete(session: string, expected: number, request: string): boolean
}

/** The same, answering at once or later. */
export interface AsyncVersionedStore {
  get(session: string): Awaitable<Versioned | null>
  put(session: string, value: string, request: string): Awaitable<number>
  compareAndPut(session: string, expected: number, value: string, request: string): Awaitable<number | null>
  delete(session: string, expected: number, request: string): Awaitable<boolean>
}

export type Awaitable<T> = T | PromiseLike<T>

/** To be thrown by a store (or its adapter) that cannot tell whether a write happened: a time-out, a broken connection. The
 * checker then takes both for possible. Any other error ends the test as what it is. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown'
}

/** A right store, in memory: what the models compare with, and an example. */
export function modelStore(): VersionedStore {
  const sessions = new Map<string, Versioned>()
  const highest = new Map<string, number>()
  const answered = new Map<string, number | boolean>()
  const write = (session: string, value: string, request: string): number => {
    const version = (highest.get(session) ?? 0) + 1
    highest.set(session, version)
    sessions.set(session, { version, value })
    answered.set(request, version)
    return version
  }
  const isAt = (session: string, expected: number): boolean => (sessions.get(session)?.version ?? 0) === expected
  return {
    get: (session) => sessions.get(session) ?? null,
    put(session, value, request) {
      const before = answered.get(request)
      return typeof before === 'number' ? before : write(session, value, request)
    },
    compareAndPut(session, expected, value, request) {
      const before = answered.get(request)
      if (typeof before === 'number') return before
      return isAt(session, expected) ? write(session, value, request) : null
    },
    delete(session, expected, request) {
      if (answered.has(request)) return true
      if (!isAt(session, expected) || !sessions.delete(session)) return false
      answered.set(request, true)
      return true
    },
  }
}

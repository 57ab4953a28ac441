import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkHistory } from './check-history.ts'
import { commandsFor } from './commands.ts'
import { linearize } from './linearize.ts'
import type { Operation, Question } from './operation.ts'
import { playConcurrently, playInOrder } from './play.ts'
import { sessionHistory } from './session-history.ts'
import { after, noSession } from './session-model.ts'
import type { SessionState } from './session-model.ts'
import { OutcomeUnknown, modelStore } from './versioned-store.ts'
import type { AsyncVersionedStore, Versioned, VersionedStore } from './versioned-store.ts'

/** A right store with a network before and behind it: each answer comes when the scheduler says so. */
function remote(s: fc.Scheduler, store = modelStore()): AsyncVersionedStore {
  const there = s.scheduleFunction(async <T>(value: T): Promise<T> => value)
  return {
    get: async (session) => there(await there(session).then((id) => store.get(id))),
    put: async (...args) => there(await there(args).then((those) => store.put(...those))),
    compareAndPut: async (...args) => there(await there(args).then((those) => store.compareAndPut(...those))),
    delete: async (...args) => there(await there(args).then((those) => store.delete(...those))),
  }
}

/** What a history of this store shows first, over some hundred histories; the smallest. */
function lossOf(make: () => VersionedStore, replays = false): string | undefined {
  const { counterexample } = fc.check(
    fc.property(sessionHistory({ replays }), (history) => checkHistory(playInOrder(history, make())) === null),
    { seed: 1, numRuns: 500 },
  )
  return counterexample?.[0] && checkHistory(playInOrder(counterexample[0], make()))?.text
}

function altered(change: (right: VersionedStore) => Partial<VersionedStore>): () => VersionedStore {
  return () => {
    const right = modelStore()
    return { ...right, ...change(right) }
  }
}

describe('a right store', () => {
  it('loses nothing, played in order, replays included', () => {
    fc.assert(
      fc.property(sessionHistory({ replays: true, maxSteps: 40 }), (history) => {
        expect(checkHistory(playInOrder(history, modelStore()))).toBeNull()
      }),
    )
  })

  it('loses nothing under any interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), sessionHistory({ replays: true, maxSteps: 12 }), async (s, history) => {
        expect(checkHistory(await playConcurrently(history, remote(s), s))).toBeNull()
      }),
      { numRuns: 60 },
    )
  })

  it('loses nothing where it is not known what became of some writes', () => {
    fc.assert(
      fc.property(sessionHistory({ replays: true }), fc.infiniteStream(fc.nat({ max: 5 })), (history, dice) => {
        const store = modelStore()
        const fallible =
          <A extends unknown[], T>(write: (...args: A) => T) =>
          (...args: A): T => {
            const die = dice.next().value
            if (die === 0) throw new OutcomeUnknown('never arrived')
            const answer = write(...args)
            if (die === 1) throw new OutcomeUnknown('the answer never arrived')
            return answer
          }
        const { put, compareAndPut } = store
        const played = playInOrder(history, {
          ...store,
          put: fallible(put),
          compareAndPut: fallible(compareAndPut),
          delete: fallible(store.delete),
        })
        expect(checkHistory(played)).toBeNull()
      }),
    )
  })

  it('does what the commands say, at once and later', async () => {
    const { commands, setup } = commandsFor(modelStore, { replays: true })
    fc.assert(fc.property(commands, (all) => fc.modelRun(setup, all)))
    const later = commandsFor(() => {
      const { get, put, compareAndPut, delete: remove } = modelStore()
      return {
        get: async (session: string) => get(session),
        put: async (...args: Parameters<typeof put>) => put(...args),
        compareAndPut: async (...args: Parameters<typeof compareAndPut>) => compareAndPut(...args),
        delete: async (...args: Parameters<typeof remove>) => remove(...args),
      }
    })
    await fc.assert(fc.asyncProperty(later.commands, (all) => fc.asyncModelRun(later.setup, all)))
  })
})

describe('what a wrong store loses is said in a sentence', () => {
  it.each<readonly [string, () => VersionedStore, RegExp]>([
    [
      'one that does not compare',
      altered(({ put }) => ({ compareAndPut: (session, _expected, value, request) => put(session, value, request) })),
      /^lost update in s1: (\w+) and (\w+) both (created it|replaced version \d+): (\1|\2) is overwritten by (\1|\2), whose owner had not seen it$/,
    ],
    [
      'one that deletes whatever is there',
      altered(({ get, delete: remove }) => ({
        delete: (session, _expected, request) => remove(session, get(session)?.version ?? 0, request),
      })),
      /^lost update in s1: \w+ \(delete on version 1\) deleted it, although version 2 was there before: \w+ is lost$/,
    ],
    [
      'one that says it wrote, and did not',
      altered(({ put }) => {
        let count = 0
        return { put: (session, value, request) => (++count === 2 ? 99 : put(session, value, request)) }
      }),
      /^stale read in s1: \w+ was shown (\w+) at version 1 after \w+ \(put\) became version 99$/,
    ],
    [
      'one that forgets what was created',
      altered(({ put, compareAndPut }) => ({
        compareAndPut: (session, expected, value, request) =>
          expected === 0 ? 1 : compareAndPut(session, expected, value, request),
        put,
      })),
      /^lost session in s1: \w+ was shown no session after \w+ \(compareAndPut on version 0\) became version 1, and nobody deleted it$/,
    ],
    [
      'one whose versions start again after a delete',
      () => {
        const sessions = new Map<string, Versioned>()
        const at = (session: string): number => sessions.get(session)?.version ?? 0
        const write = (session: string, value: string): number => {
          const version = at(session) + 1
          sessions.set(session, { version, value })
          return version
        }
        return {
          get: (session) => sessions.get(session) ?? null,
          put: write,
          compareAndPut: (session, expected, value) => (at(session) === expected ? write(session, value) : null),
          delete: (session, expected) => at(session) === expected && sessions.delete(session),
        }
      },
      /^version in s1: \w+ \(.*\) became version 1, although \w+ \(.*\) became version 1 before: a version must be higher than all before it, also after a delete$/,
    ],
  ])('%s', (_what, make, text) => {
    expect(lossOf(make)).toMatch(text)
    const { commands, setup } = commandsFor(make)
    expect(fc.check(fc.property(commands, (all) => fc.modelRun(setup, all))).failed).toBe(true)
  })

  it('one that does not know a replay revives what was deleted', () => {
    const forgetful = altered((right) => {
      let count = 0
      return {
        put: (session, value) => right.put(session, value, `${count++}`),
        compareAndPut: (session, expected, value) => right.compareAndPut(session, expected, value, `${count++}`),
        delete: (session, expected) => right.delete(session, expected, `${count++}`),
      }
    })
    expect(lossOf(forgetful)).toBeUndefined()
    expect(lossOf(forgetful, true)).toMatch(
      /^applied twice in s1: \w+ was written as version \d, and again as version \d/,
    )
  })

  it('one that compares, waits and then writes: only interleavings show it', async () => {
    const hasty = (s: fc.Scheduler | null): AsyncVersionedStore => {
      const right = modelStore()
      const wait = s?.scheduleFunction(async () => {}) ?? (async () => {})
      return {
        ...right,
        async compareAndPut(session, expected, value, request) {
          if ((right.get(session)?.version ?? 0) !== expected) return null
          await wait()
          return right.put(session, value, request)
        },
      }
    }
    const { commands, setup } = commandsFor(() => hasty(null))
    await fc.assert(fc.asyncProperty(commands, (all) => fc.asyncModelRun(setup, all)))
    const found = await fc.check(
      fc.asyncProperty(fc.scheduler(), sessionHistory(), async (s, history) => {
        const loss = checkHistory(await playConcurrently(history, hasty(s), s))
        if (loss !== null) throw new Error(loss.text)
      }),
      { seed: 1 },
    )
    expect(String(found.errorInstance)).toMatch(
      /^Error: lost update in s1: .* is overwritten by \w+, whose owner had not seen it$/,
    )
  })
})

describe('the search for an order', () => {
  const question = fc.oneof<fc.Arbitrary<Question>[]>(
    fc.constant({ kind: 'get', session: 's' }),
    fc.record({
      kind: fc.constant('put' as const),
      session: fc.constant('s'),
      value: fc.constantFrom('x', 'y'),
      request: fc.constantFrom('1', '2', '3'),
    }),
    fc.record({
      kind: fc.constant('compareAndPut' as const),
      session: fc.constant('s'),
      expected: fc.nat({ max: 2 }),
      value: fc.constantFrom('x', 'y'),
      request: fc.constantFrom('1', '2', '3'),
    }),
    fc.record({
      kind: fc.constant('delete' as const),
      session: fc.constant('s'),
      expected: fc.nat({ max: 2 }),
      request: fc.constantFrom('1', '2', '3'),
    }),
  )
  const version = fc.integer({ min: 1, max: 3 })
  const operation: fc.Arbitrary<Operation> = question.chain((asked) => {
    const answers = {
      get: fc.option(fc.record({ version, value: fc.constantFrom('x', 'y') })),
      put: version,
      compareAndPut: fc.option(version),
      delete: fc.boolean(),
    } as const
    return fc
      .tuple(
        answers[asked.kind] as fc.Arbitrary<Operation['answer']>,
        fc.nat({ max: 9 }),
        fc.option(fc.nat({ max: 5 })),
      )
      .map(([answer, called, lasted]) => ({
        ...asked,
        owner: 'A',
        called: called + 0.5,
        returned: lasted === null && asked.kind !== 'get' ? null : called + (lasted ?? 0) + 1,
        answer,
      }))
  })

  /** Every order of every choice of the unknown ones, tried. */
  function explains(left: readonly Operation[], state: SessionState): boolean {
    if (left.every(({ returned }) => returned === null)) return true
    return left.some((next) => {
      if (left.some((other) => other !== next && other.returned !== null && other.returned <= next.called)) return false
      const then = after(state, next)
      return (
        then !== null &&
        explains(
          left.filter((other) => other !== next),
          then,
        )
      )
    })
  }

  it('finds one exactly if there is one', () => {
    const seen = { explained: 0, inexplicable: 0 }
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 5 }), (operations) => {
        const { kind } = linearize(operations)
        seen[kind]++
        expect(kind === 'explained').toBe(explains(operations, noSession))
        expect(checkHistory(operations) === null).toBe(kind === 'explained')
      }),
      { numRuns: 1_000 },
    )
    expect(Math.min(seen.explained, seen.inexplicable)).toBeGreaterThan(20)
  })

  it('says so when there is too much to be searched', () => {
    const operations = Array.from({ length: 40 }, (_, i): Operation => {
      return {
        kind: 'put',
        session: 's',
        owner: 'A',
        value: `${i}`,
        request: `${i}`,
        called: i,
        returned: null,
        answer: null,
      }
    })
    const read: Operation = {
      kind: 'get',
      session: 's',
      owner: 'A',
      called: 50,
      returned: 51,
      answer: { version: 1, value: 'z' },
    }
    expect(() => checkHistory([...operations, read])).toThrow(/too many concurrent/)
  })
})

describe('what is used wrongly says what is right', () => {
  const history = { steps: [{ kind: 'delete', owner: 'A', session: 's1', stale: 0 }] } as const

  it.each([
    [() => sessionHistory({ owners: 0 }), 'owners is 0: make it 1 to 26'],
    [() => sessionHistory({ sessions: 0 }), 'sessions is 0: make it 1 or more'],
    [
      () => playInOrder(history, { ...modelStore(), get: () => Promise.resolve(null) as never }),
      'get answered with a promise: play this store with playConcurrently',
    ],
    [
      () => playInOrder(history, { ...modelStore(), get: () => undefined as never }),
      'get answered undefined; it should be { version, value }, or null for no session',
    ],
  ])('%#', (use, text) => {
    expect(use).toThrow(text)
  })

  it('an unknown outcome among commands', () => {
    const { commands, setup } = commandsFor(
      altered(() => ({
        put: () => {
          throw new OutcomeUnknown()
        },
      })),
    )
    const { errorInstance } = fc.check(
      fc.property(commands, (all) => fc.modelRun(setup, all)),
      { seed: 1 },
    )
    expect(String(errorInstance)).toContain('commands know no unknown outcomes')
  })

  it('an error of the store is the error of the test', () => {
    const broken = altered(() => ({
      get: () => {
        throw new TypeError('a bug')
      },
    }))
    expect(() => playInOrder(history, broken())).toThrow(new TypeError('a bug'))
  })
})

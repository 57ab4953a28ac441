import { describe, expect, test } from 'vitest'
import { GoneError, GroupLock } from './group-lock.ts'
import type { Reference } from './group-lock.ts'
import { LockOrderError } from './lock-order.ts'
import { LockTimeoutError, Locks } from './mutex.ts'
import type { Mutex } from './mutex.ts'

function groupOf(locks: Locks, name = 'one'): { readonly group: GroupLock; readonly reference: Reference } {
  return GroupLock.create(locks, 'call', name)
}

/** Something that ends when it is told to. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

describe('mutual exclusion [JSR locks]', () => {
  test('one turn at a time, in the order in which they asked, across their waits', async () => {
    const locks = new Locks()
    const { group } = groupOf(locks)
    const told: string[] = []
    const first = gate()
    const work = (name: string, wait: Promise<void>): Promise<void> =>
      locks.turn(name, async () => {
        using _hold = await group.acquire()
        told.push(`${name} in`)
        await wait
        told.push(`${name} out`)
      })
    const all = [work('a', first.opened), work('b', Promise.resolve()), work('c', Promise.resolve())]
    first.open()
    await Promise.all(all)
    expect(told).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
  })

  test('the same turn may take it again; it is free once both are released', async () => {
    const locks = new Locks()
    const { group } = groupOf(locks)
    await locks.turn('a', async () => {
      const outer = await group.acquire()
      const inner = await group.acquire()
      outer.release()
      outer.release()
      expect(group.dump()).toContain('held by a')
      inner.release()
      expect(group.dump()).toContain('free')
    })
  })

  test('what a turn forgets to release is released when it ends, also if it throws', async () => {
    const locks = new Locks()
    const { group } = groupOf(locks)
    const failing = locks.turn('a', async () => {
      await group.acquire()
      throw new Error('oh')
    })
    await expect(failing).rejects.toThrow('oh')
    expect(group.dump()).toContain('free')
  })

  test('a turn waits for a bounded time, and is told who holds the lock and where', async () => {
    const locks = new Locks({ waitMs: 1, waiters: 1 })
    const { group } = groupOf(locks)
    const done = gate()
    const holder = locks.turn('holder', async () => {
      using _hold = await group.acquire()
      await done.opened
    })
    const waiter = locks.turn('waiter', () => group.acquire())
    await expect(waiter).rejects.toThrow(LockTimeoutError)
    await expect(waiter).rejects.toThrow(/held by holder since group-lock\.test\.ts:\d+/)
    done.open()
    await holder
    expect(group.dump()).toContain('free')
  })

  test('so many wait for it, and no more', async () => {
    const locks = new Locks({ waitMs: 60_000, waiters: 1 })
    const { group } = groupOf(locks)
    const done = gate()
    const work = (): Promise<void> =>
      locks.turn('t', async () => {
        using _hold = await group.acquire()
        await done.opened
      })
    const two = [work(), work()]
    await expect(work()).rejects.toThrow('1 turns wait already')
    done.open()
    await Promise.all(two)
  })

  test('outside of a turn nobody could be told apart', async () => {
    const { group } = groupOf(new Locks())
    await expect(group.acquire()).rejects.toThrow('inside a handler')
  })

  test('a section that modifies can not wait', async () => {
    const locks = new Locks()
    const { group } = groupOf(locks)
    await locks.turn('a', async () => {
      expect(await group.modify(() => 7)).toBe(7)
      const waits = (() => Promise.resolve()) as unknown as () => undefined
      await expect(group.modify(waits)).rejects.toThrow('must not wait')
      expect(group.dump()).toContain('free')
    })
  })
})

describe('lifetime [JSR locks]', () => {
  test('it lives until its last reference goes; then each handler runs once, in order, and later use is told', async () => {
    const locks = new Locks()
    const { group, reference } = groupOf(locks)
    const told: string[] = []
    group.addHandler('transaction', () => told.push('transaction'))
    group.addHandler('early', () => told.push('early'))
    group.addHandler('dialog', () => told.push('dialog'))
    group.removeHandler('early')
    const second = group.reference()
    reference.release()
    reference.release()
    expect(group.isGone).toBe(false)
    second.release()
    expect(told).toEqual(['transaction', 'dialog'])
    expect(() => group.reference()).toThrow(GoneError)
    await expect(locks.turn('a', () => group.acquire())).rejects.toThrow('look it up again')
    expect(() => group.addHandler('late', () => {})).toThrow(GoneError)
  })

  test('who holds it, or waits for it, keeps it', async () => {
    const locks = new Locks()
    const { group, reference } = groupOf(locks)
    let isDestroyed = false
    group.addHandler('member', () => {
      isDestroyed = true
    })
    await locks.turn('a', async () => {
      const hold = await group.acquire()
      reference.release()
      expect(isDestroyed).toBe(false)
      hold.release()
      expect(isDestroyed).toBe(true)
    })
  })

  test('a handler that throws keeps no other one from running', () => {
    const { group, reference } = groupOf(new Locks())
    const told: string[] = []
    group.addHandler('bad', () => {
      throw new Error('oh')
    })
    group.addHandler('good', () => told.push('good'))
    expect(() => reference.release()).toThrow(AggregateError)
    expect(told).toEqual(['good'])
  })

  test('the dump names each reference with file and line', () => {
    const { group } = groupOf(new Locks(), '17')
    group.reference()
    expect(group.dump().split('\n')).toHaveLength(3)
    expect(group.dump()).toMatch(/call 17 .*\n.*group-lock\.test\.ts:\d+\n.*group-lock\.test\.ts:\d+/)
  })
})

describe('order [JSR locks]', () => {
  const scene = (): { locks: Locks; group: GroupLock; registrar: Mutex; billing: Mutex } => {
    const locks = new Locks()
    const { group } = groupOf(locks)
    return { locks, group, registrar: locks.mutex('registrar'), billing: locks.mutex('billing') }
  }

  test('what is chained is taken with the group, by position, and released the other way round', async () => {
    const { locks, group, registrar, billing } = scene()
    const told: string[] = []
    const spy = (mutex: Mutex) => ({
      kind: mutex.kind,
      acquire: async () => {
        const hold = await mutex.acquire()
        told.push(`+${mutex.kind}`)
        const release = (): void => {
          told.push(`-${mutex.kind}`)
          hold.release()
        }
        return { release, [Symbol.dispose]: release }
      },
    })
    group.chain(spy(billing), 1)
    group.chain(spy(registrar), -1)
    await locks.turn('a', async () => {
      using _hold = await group.acquire()
    })
    expect(told).toEqual(['+registrar', '+billing', '-billing', '-registrar'])
  })

  test('who holds the chained lock already may take the group (PJSIP: pjsua --> { pjsua --> ice })', async () => {
    const { locks, group, registrar } = scene()
    group.chain(registrar, -1)
    await locks.turn('a', async () => {
      using _own = await registrar.acquire()
      using _hold = await group.acquire()
      expect(group.dump()).toContain('held by a')
    })
  })

  test('the other order is refused at once, though nobody waits, and where the first one was is told', async () => {
    const { locks, group, registrar } = scene()
    await locks.turn('registry, then session', async () => {
      using _own = await registrar.acquire()
      using _hold = await group.acquire()
    })
    const wrong = locks.turn('session, then registry', async () => {
      using _hold = await group.acquire()
      using _own = await registrar.acquire()
    })
    await expect(wrong).rejects.toThrow(LockOrderError)
    await expect(wrong).rejects.toThrow(/registrar after call .*but call after registrar at group-lock\.test\.ts:\d+/)
    expect(group.dump()).toContain('free')
  })

  test("PJSIP's note: two chained locks, the second one taken first, is a deadlock in waiting and refused", async () => {
    const { locks, group, registrar, billing } = scene()
    group.chain(registrar, -2)
    group.chain(billing, -1)
    await locks.turn('a', async () => {
      using _own = await registrar.acquire()
      using _hold = await group.acquire()
    })
    const wrong = locks.turn('b', async () => {
      using _own = await billing.acquire()
      using _hold = await group.acquire()
    })
    await expect(wrong).rejects.toThrow('registrar after billing')
  })

  test('an order over three locks is known as well', async () => {
    const { locks, group, registrar, billing } = scene()
    await locks.turn('a', async () => {
      using _a = await registrar.acquire()
      using _b = await billing.acquire()
    })
    await locks.turn('b', async () => {
      using _a = await billing.acquire()
      using _b = await group.acquire()
    })
    const wrong = locks.turn('c', async () => {
      using _a = await group.acquire()
      using _b = await registrar.acquire()
    })
    await expect(wrong).rejects.toThrow(/billing after registrar at .*, call after billing at /)
  })

  test('a turn holds one group at a time', async () => {
    const { locks, group } = scene()
    const other = groupOf(locks, 'two').group
    const wrong = locks.turn('a', async () => {
      using _one = await group.acquire()
      using _two = await other.acquire()
    })
    await expect(wrong).rejects.toThrow('one call at a time')
  })

  test('a position is taken once, and 0 is the group itself', () => {
    const { group, registrar, billing } = scene()
    group.chain(registrar, -1)
    expect(() => group.chain(billing, -1)).toThrow('registrar is chained at -1')
    expect(() => group.chain(registrar, -2)).toThrow('registrar is chained at -1')
    expect(() => group.chain(billing, 0)).toThrow('other than 0')
    group.unchain(registrar)
    group.chain(billing, -1)
    expect(group.dump()).toContain('(billing, call)')
  })

  test('two resources can not have one name', () => {
    const { locks } = scene()
    expect(() => locks.mutex('registrar')).toThrow('a name of its own')
  })
})

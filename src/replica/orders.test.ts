// Orders and lookups at whole replicas (decision 0034): from anywhere, once, and never older than what was shown.

import { beforeEach, describe, expect, test } from 'vitest'
import type { Op } from '../app/contract.ts'
import { appLimits } from '../app/limits.ts'
import type { Lookup, LookupAnswer, Order, OrderAnswer } from '../app/orders.ts'
import { must } from '../base/assert.ts'
import type { GroupKey, ReplicaId } from '../base/brand.ts'
import { millis, seconds } from '../base/instant.ts'
import { groupOfKey } from '../proxy/token.ts'
import type { OrderTarget } from '../app/orders.ts'
import { limits } from './limits.ts'
import { Bench } from './testing/bench.ts'

let bench: Bench

beforeEach(() => {
  bench = new Bench().begin()
})

const APPLICATION = 'shop'
const create: OrderTarget = { kind: 'key', key: 'bob', create: true }
const set = (name: string, value: number): Op => ({ kind: 'set-attribute', of: '', name, value })
const expects = (version: number): Op => ({ kind: 'expect-version', of: '', version })

function orders(id: ReplicaId, target: OrderTarget, ...ops: readonly Op[]): number {
  const order: Order = { application: APPLICATION, version: '1', target, ops }
  return bench.begins(id, { kind: 'order', order })
}

function answer(question: number): OrderAnswer | null {
  return (bench.answerTo(question)?.body as OrderAnswer | undefined) ?? null
}

function order(id: ReplicaId, target: OrderTarget, ...ops: readonly Op[]): OrderAnswer {
  const question = orders(id, target, ...ops)
  bench.pass(seconds(2))
  return must(answer(question), 'every order is answered')
}

function done(said: OrderAnswer | null): Extract<OrderAnswer, { kind: 'done' }> {
  expect(said).toMatchObject({ kind: 'done' })
  return said as Extract<OrderAnswer, { kind: 'done' }>
}

function looks(id: ReplicaId, lookup: Partial<Lookup>): number {
  const target = { kind: 'key', key: 'bob' } as const
  return bench.begins(id, {
    kind: 'session',
    lookup: { application: APPLICATION, target, atLeast: null, ...lookup },
  })
}

function seen(question: number): LookupAnswer {
  return must(bench.answerTo(question), 'every lookup is answered').body as LookupAnswer
}

/** What a lookup at that replica shows of the session. */
function look(id: ReplicaId, lookup: Partial<Lookup> = {}): LookupAnswer {
  const question = looks(id, lookup)
  bench.pass(seconds(2))
  return seen(question)
}

function groupOf(key: string): GroupKey {
  const { store } = bench.replica(bench.leader())
  return groupOfKey(
    { current: store.keyGeneration, at: (time) => store.keyAt(time), key: (generation) => store.key(generation) },
    APPLICATION,
    key,
  )
}

function ownerOf(key: string): ReplicaId {
  const owner = bench.replica(bench.leader()).store.ownerOf(groupOf(key))
  return must(
    bench.ids.find((id) => bench.lifeOf(id) === owner),
    'an owner',
  )
}

/** Somebody else than its owner. */
function other(key: string): ReplicaId {
  return must(
    bench.ids.find((id) => id !== ownerOf(key) && bench.runs(id)),
    'another replica',
  )
}

describe('create by key', () => {
  test('[JSR 12] three replicas create the same key at one instant: one session, and one of them made it', () => {
    const questions = bench.ids.map((id) => orders(id, create, set(`by-${id}`, id)))
    bench.pass(seconds(1))
    const answers = questions.map((question) => done(answer(question)))
    expect(new Set(answers.map(({ view }) => view?.id)).size).toBe(1)
    expect(answers.filter(({ created }) => created)).toHaveLength(1)
    const found = look(bench.leader())
    expect(found).toMatchObject({ kind: 'seen', view: { key: 'bob', id: answers[0]?.view?.id } })
    expect(found.kind === 'seen' && found.view?.attributes.map(({ name }) => name)).toEqual(
      bench.ids.map((id) => `by-${id}`),
    )
  })

  test('expecting that there is none, one of three is accepted; the others are told what there is', () => {
    const questions = bench.ids.map((id) => orders(id, create, expects(0), set('by', id)))
    bench.pass(seconds(1))
    const answers = questions.map(answer)
    const accepted = answers.filter((one) => one?.kind === 'done')
    expect(accepted).toHaveLength(1)
    const made = done(must(accepted[0], 'one of them'))
    for (const one of answers.filter((said) => said !== accepted[0])) {
      expect(one).toMatchObject({ kind: 'conflict', view: { id: made.view?.id, version: 1 } })
    }
  })

  test('[JSR 12] keys of two applications are two sessions; one that ended makes room for another', () => {
    const [first, second] = bench.ids as [ReplicaId, ReplicaId]
    const mine = done(order(first, create)).view
    const theirs: Order = { application: 'bank', version: '1', target: create, ops: [] }
    const question = bench.begins(second, { kind: 'order', order: theirs })
    bench.pass(seconds(1))
    expect(done(answer(question)).view?.id).not.toBe(mine?.id)
    expect(order(second, { kind: 'id', id: mine?.id ?? '' }, { kind: 'invalidate', of: '' })).toMatchObject({
      kind: 'done',
      view: null,
    })
    expect(order(first, { ...create, create: false })).toMatchObject({ kind: 'gone' })
    const again = done(order(second, create))
    expect(again).toMatchObject({ created: true, view: { key: 'bob', attributes: [] } })
    expect(again.view?.id).not.toBe(mine?.id)
  })

  test('a session without a key is another one each time', () => {
    const ids = [...bench.ids, ...bench.ids].map((id) => done(order(id, { kind: 'new' }, set('n', id))).view?.id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(look(bench.leader(), { target: { kind: 'id', id: ids[4] ?? '' } })).toMatchObject({
      view: { key: null, attributes: [{ name: 'n' }] },
    })
  })
})

describe('an order', () => {
  test('on a stale version is refused, told what there is, and changes nothing', () => {
    const at = other('bob')
    const { view } = done(order(at, create, set('n', 1)))
    const target = { kind: 'id', id: view?.id ?? '' } as const
    const next = done(order(ownerOf('bob'), target, expects(view?.version ?? 0), set('n', 2)))
    expect(order(at, target, expects(view?.version ?? 0), set('n', 3))).toMatchObject({
      kind: 'conflict',
      reason: expect.stringContaining('read it again'),
      view: { version: next.view?.version, attributes: [{ name: 'n', value: 2 }] },
    })
    expect(look(at)).toMatchObject({ view: { attributes: [{ value: 2 }] } })
  })

  test('is done once though its answer is lost, and is asked for again', () => {
    const at = other('bob')
    done(order(at, create))
    let lost = 0
    bench.loses = (frame) => frame.kind === 'ordered' && ++lost < 2
    const { groupVersion = 0 } = done(order(at, create)).view ?? {}
    lost = 0
    const said = done(order(at, create, set('n', 1)))
    expect(lost).toBe(2)
    expect([said.created, said.view?.groupVersion]).toEqual([false, groupVersion + 1])
  })

  test('that began the session says so when it is asked for again', () => {
    let lost = 0
    bench.loses = (frame) => frame.kind === 'ordered' && ++lost < 2
    expect(done(order(other('bob'), create)).created).toBe(true)
    expect(lost).toBe(2)
  })

  test('whose owner dies after its commit, before its answer, is done once: the next owner knows it', () => {
    const [at, owner] = [other('bob'), ownerOf('bob')]
    const { view } = done(order(at, create))
    bench.loses = (frame, from) => frame.kind === 'ordered' && from === owner
    const question = orders(at, create, expects(view?.version ?? 0), set('n', 1))
    bench.pass(millis(50))
    expect(answer(question)).toBeNull()
    bench.kill(owner)
    bench.pass(seconds(1))
    // Not a conflict with itself.
    expect(done(answer(question)).view).toMatchObject({ version: 2, attributes: [{ name: 'n', value: 1 }] })
  })

  test('whose owner dies before its commit is done by the next one', () => {
    const [at, owner] = [other('bob'), ownerOf('bob')]
    bench.stop(owner)
    const question = orders(at, create, set('n', 1))
    bench.pass(millis(50))
    bench.kill(owner)
    bench.pass(seconds(1))
    expect(done(answer(question))).toMatchObject({ created: true, view: { attributes: [{ name: 'n' }] } })
  })

  test('an owner that slept, and is one again, does nothing of what its asker has given up', () => {
    const [at, owner] = [other('bob'), ownerOf('bob')]
    bench.stop(owner)
    const question = orders(at, create, set('n', 1))
    bench.pass(seconds(6))
    const { index } = done(answer(question))
    order(at, { ...create, create: false }, { kind: 'invalidate', of: '' })
    bench.pass(seconds(6))
    bench.resume(owner)
    bench.pass(seconds(5))
    expect(look(at)).toMatchObject({ kind: 'seen', view: null })
    expect(bench.replica(at).store.appliedIndex).toBeGreaterThan(index)
  })

  test('[JSR 25] an owner that lags, and is none any more, does not say that there is nothing', () => {
    const leader = bench.leader()
    const [lagging, owner] = bench.followers() as [ReplicaId, ReplicaId]
    const isFor = (key: string): boolean => ownerOf(key) === owner
    const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`).filter(isFor)
    bench.kill(owner)
    bench.pass(seconds(1))
    const key = must(
      keys.find((one) => ownerOf(one) === lagging),
      'a key that goes to the one that will lag',
    )
    // It hears its leader, and nothing new of the log: not that the owner is back, nor what that does.
    bench.loses = (frame, _from, to) =>
      to === lagging && frame.kind === 'raft' && frame.messages.some(({ kind }) => kind === 'append')
    bench.restart(owner)
    for (let i = 0; i < 40 && bench.serving(leader).length < 3; i++) bench.pass(millis(50))
    const made = orders(owner, { kind: 'key', key, create: true })
    bench.pass(millis(20))
    const isStillOwner = bench.replica(lagging).store.ownerOf(groupOf(key)) === bench.lifeOf(lagging)
    const question = orders(lagging, { kind: 'key', key, create: false })
    bench.pass(seconds(2))
    expect([isStillOwner, answer(made)?.kind]).toEqual([true, 'done'])
    expect(answer(question)).toMatchObject({ kind: 'refused', again: true })
    bench.loses = () => false
    bench.pass(seconds(3))
    expect(done(order(lagging, { kind: 'key', key, create: false })).created).toBe(false)
  })

  test('without a quorum is open in the end, and says so; before it went to anybody it is not', () => {
    const [alone] = bench.followers() as [ReplicaId]
    const rest = bench.ids.filter((id) => id !== alone)
    done(order(alone, create))
    for (const id of rest) bench.stop(id)
    expect(order(alone, create, set('n', 1))).toMatchObject({
      kind: 'refused',
      again: true,
      isOpen: true,
      reason: expect.stringContaining('may have been done'),
    })
    for (const id of rest) {
      bench.resume(id)
      bench.kill(id)
    }
    bench.pass(seconds(3))
    const last = order(alone, create, set('n', 2))
    expect(last).toMatchObject({ kind: 'refused', again: true })
  })

  test('that is no order, or does what may not be done, is refused with the reason, and changes nothing', () => {
    const [at] = bench.ids as [ReplicaId]
    const id = done(order(at, create)).view?.id ?? ''
    const refused = (target: OrderTarget, op: unknown): OrderAnswer => order(at, target, op as Op)
    const wrong = { kind: 'refused', again: false, isOpen: false }
    expect(refused(create, { kind: 'burn' })).toMatchObject({ ...wrong, reason: expect.stringContaining('kind') })
    expect(refused(create, set('', 1))).toMatchObject({ ...wrong, reason: expect.stringContaining('name') })
    expect(refused(create, { kind: 'set-attribute', of: '', name: 'f', value: () => 1 })).toMatchObject(wrong)
    expect(refused({ ...create, key: '\ud800' }, set('n', 1))).toMatchObject(wrong)
    expect(
      refused(create, { kind: 'proxy', request: '1', plan: { targets: [], recurse: false, timeout: null } }),
    ).toMatchObject(wrong)
    expect(order(at, { kind: 'id', id: `${id}0` })).toMatchObject({ kind: 'gone' })
    const theirs: Order = { application: 'bank', version: '1', target: { kind: 'id', id }, ops: [set('n', 9)] }
    const question = bench.begins(at, { kind: 'order', order: theirs })
    bench.pass(seconds(1))
    expect(answer(question)).toMatchObject({ kind: 'gone' })
    expect(look(at)).toMatchObject({ view: { version: 1, attributes: [] } })
  })

  test('beyond what may wait is told to ask again, at once', () => {
    const [at, owner] = [other('bob'), ownerOf('bob')]
    bench.stop(owner)
    const questions = Array.from({ length: limits.orders + 1 }, () => orders(at, create))
    expect(answer(must(questions.at(-1), 'the last'))).toMatchObject({ kind: 'refused', again: true, isOpen: false })
    bench.pass(seconds(2))
    expect(questions.map(answer).filter((said) => said === null)).toEqual([])
  })

  test('an attribute as large as may be goes to the owner and back', () => {
    const value = new Uint8Array(appLimits.attributeBytes - 5).fill(7)
    const op: Op = { kind: 'set-attribute', of: '', name: 'photo', value }
    expect(done(order(other('bob'), create, op)).view?.attributes).toEqual([{ name: 'photo', value }])
  })
})

describe('a lookup', () => {
  test('[JSR 25] by id or key finds the session at every replica, with version and index', () => {
    const { view, index } = done(order(other('bob'), create, set('n', 1)))
    for (const id of bench.ids) {
      for (const target of [
        { kind: 'key', key: 'bob' },
        { kind: 'id', id: view?.id ?? '' },
      ] as const) {
        const found = look(id, { target })
        expect(found).toMatchObject({ kind: 'seen', view: { id: view?.id, version: 1, attributes: [{ value: 1 }] } })
        expect(found.kind === 'seen' && found.index).toBeGreaterThanOrEqual(index)
      }
    }
  })

  test('[JSR question 2.3] with no version at hand never shows what is older than the last commit, also at a replica that lags', () => {
    const at = other('bob')
    done(order(ownerOf('bob'), create))
    const lagging = must(
      bench.followers().find((id) => id !== ownerOf('bob')),
      'a follower that is not the owner',
    )
    // It hears nothing new of the log.
    bench.loses = (frame, _from, to) =>
      to === lagging && frame.kind === 'raft' && frame.messages.some(({ kind }) => kind === 'append')
    const asker = at === lagging ? ownerOf('bob') : at
    done(order(asker, create, set('n', 1)))
    const question = looks(lagging, {})
    bench.pass(seconds(2))
    const held = seen(question)
    expect(held.kind === 'unknown' || held.view?.attributes.length === 1).toBe(true)
    bench.loses = () => false
    bench.pass(seconds(3))
    expect(look(lagging)).toMatchObject({ view: { attributes: [{ value: 1 }] } })
  })

  test('with an index at hand waits for that, and asks nobody', () => {
    const at = must(bench.followers()[0], 'a follower')
    const { index } = done(order(at, create, set('n', 1)))
    let asked = 0
    bench.loses = (frame) => {
      if (frame.kind === 'raft') asked += frame.messages.filter(({ kind }) => kind === 'read-index').length
      return false
    }
    const question = looks(at, { atLeast: index })
    bench.settle()
    expect([seen(question), asked]).toMatchObject([{ view: { attributes: [{ value: 1 }] } }, 0])
    const ahead = looks(at, { atLeast: (index + 1_000) as typeof index })
    bench.pass(seconds(2))
    expect(seen(ahead)).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('ask again') })
  })

  test('of what is not there, of another application, or forged, is null and not unknown', () => {
    const [at] = bench.ids as [ReplicaId]
    const { view } = done(order(at, create))
    const none = { kind: 'seen', view: null }
    expect(look(at, { target: { kind: 'key', key: 'eve' } })).toMatchObject(none)
    expect(look(at, { application: 'bank', target: { kind: 'id', id: view?.id ?? '' } })).toMatchObject(none)
    expect(look(at, { target: { kind: 'id', id: '1' } })).toMatchObject(none)
    expect(look(at, { target: { kind: 'key', key: '' } })).toMatchObject(none)
  })
})

// The set changes while it runs (decision 0018), through whole replicas.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { memberId, placeOf, replicaId } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { millis, seconds } from '../base/instant.ts'
import { decodeConfiguration, isJoint, membersOf } from '../raft/configuration.ts'
import type { RaftMessage } from '../raft/message.ts'
import type { MemberRequest, MembersView } from '../wire/member-request.ts'
import { limits } from './limits.ts'
import { Bench } from './testing/bench.ts'

const [one, two, three] = [replicaId(1), replicaId(2), replicaId(3)]
const fourth = memberId(4, 1)
const add: MemberRequest = { kind: 'add', place: 4, peer: '127.0.0.4:9000', admin: '127.0.0.4:8000' }

function membersAt(bench: Bench, id: ReplicaId = bench.leader()): MembersView {
  return bench.ask(id, { kind: 'members' }).body as MembersView
}

/** The leader's voters, by id, once nothing is under way any more. */
function settled(bench: Bench): readonly ReplicaId[] {
  for (let tries = 0; tries < 400; tries++) {
    bench.pass(millis(50))
    const view = membersAt(bench)
    const stages = new Set(view.members.map(({ stage }) => stage.kind))
    if (!view.joint && [...stages].every((stage) => stage === 'done')) {
      return bench.replica(bench.leader()).raft.configuration.voters.incoming
    }
  }
  throw new Error(`it does not end: ${JSON.stringify(membersAt(bench))}`)
}

function stageOf(bench: Bench, request: MemberRequest, by = bench.leader()): string {
  const { body } = bench.request(by, request)
  return body.ok ? body.stage.kind : body.error
}

/** An append of a configuration that is not joint, without that replica. */
function endsWith(message: RaftMessage, without: ReplicaId): boolean {
  if (message.kind !== 'append') return false
  return message.entries.some(({ kind, data }) => {
    const decoded = kind === 'configuration' ? decodeConfiguration(data) : null
    return decoded?.ok === true && !isJoint(decoded.value) && !membersOf(decoded.value).includes(without)
  })
}

function grown(bench: Bench): Bench {
  bench.request(bench.leader(), add)
  bench.join(4, 'disk4')
  settled(bench)
  return bench
}

describe('a place is added', () => {
  test('stage by stage: awaited, a learner that serves nobody, a voter, an owner of calls', () => {
    const bench = new Bench().begin()
    expect(stageOf(bench, add)).toBe('awaited')
    bench.pass(seconds(2))
    expect(bench.replica(bench.leader()).raft.configuration.voters.incoming).toEqual([one, two, three])
    expect(bench.join(4, 'disk4')).toBe(fourth)
    expect(bench.replica(bench.leader()).raft.configuration.learners).toEqual([fourth])
    expect(settled(bench)).toEqual([one, two, three, fourth])
    expect(bench.serving()).not.toContain(fourth)
    bench.pass(seconds(2))
    expect(bench.serving()).toContain(fourth)
    expect(stageOf(bench, add)).toBe('done')
  })

  test('a follower that is asked gives the leader’s answer', () => {
    const bench = new Bench().begin()
    const [follower] = bench.followers()
    expect(stageOf(bench, add, must(follower, 'one'))).toBe('awaited')
    expect(bench.replica(bench.leader()).store.book.row(4)?.wanted).toBe(true)
  })

  test('asked twice, it is one wish; and a join that is repeated gets the same identity', () => {
    const bench = new Bench().begin()
    for (const id of bench.ids) expect(stageOf(bench, add, id)).toBe('awaited')
    const { version } = bench.replica(bench.leader()).store.book
    expect(stageOf(bench, add)).toBe('awaited')
    expect(bench.replica(bench.leader()).store.book.version).toBe(version)
    bench.join(4, 'disk4')
    const again = bench.request(one, { kind: 'join', place: 4, incarnation: 'disk4', peer: 'a:1', admin: 'a:2' })
    expect(again.body).toMatchObject({ ok: true, id: fourth })
  })

  test('what can’t be is refused, with what to do', () => {
    const bench = new Bench().begin()
    const stranger = { kind: 'join', place: 5, incarnation: 'x', peer: 'a:1', admin: 'a:2' } as const
    expect(bench.request(one, stranger).body).toMatchObject({
      ok: false,
      error: expect.stringContaining('members add 5'),
    })
    bench.request(one, add)
    const clash = { ...add, place: 5 }
    expect(bench.request(one, clash)).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('its own') },
    })
    const moved = { ...add, peer: '127.0.0.9:1' }
    expect(bench.request(one, moved)).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('replace 4') },
    })
  })

  test('nobody came: the wish is taken back', () => {
    const bench = new Bench().begin()
    bench.request(one, add)
    expect(stageOf(bench, { kind: 'remove', place: 4 })).toBe('done')
    expect(bench.join(4, 'disk4')).toMatchObject({ ok: false })
    expect(settled(bench)).toEqual([one, two, three])
  })
})

describe('a place is removed', () => {
  test('its calls move first; then it is told, and stops', () => {
    const bench = grown(new Bench().begin())
    const [leaving] = bench.followers()
    const place = placeOf(must(leaving, 'a follower'))
    expect(stageOf(bench, { kind: 'remove', place })).not.toBe('done')
    const rest = bench.ids.filter((id) => id !== leaving)
    expect(settled(bench)).toEqual(rest)
    expect(bench.stopped).toEqual([
      { by: leaving, cause: 'removed', reason: expect.stringContaining(`replica ${place}`) },
    ])
    expect(stageOf(bench, { kind: 'remove', place })).toBe('done')
    const entries = bench.entries(bench.leader())
    const out = entries.findIndex(
      (body) => body.kind === 'serving' && body.remove.includes(bench.lifeOf(must(leaving, 'it'))),
    )
    const gone = entries.findIndex(
      (body) => body.kind === 'book' && body.rows.some((row) => row.place === place && row.gone === 0),
    )
    expect(out).toBeGreaterThan(0)
    expect(gone).toBeGreaterThan(out)
  })

  test('its sockets come to rest first, then it is voted out, and it ends once that is committed, not before', () => {
    const bench = grown(new Bench().begin())
    bench.endsLeft = true
    bench.pass(seconds(2))
    const voters = (): readonly ReplicaId[] => bench.replica(bench.leader()).raft.configuration.voters.incoming
    for (const leaving of [must(bench.followers()[0], 'a follower'), bench.leader()]) {
      bench.request(bench.leader(), { kind: 'remove', place: placeOf(leaving) })
      while (voters().includes(leaving)) {
        expect(bench.runs(leaving)).toBe(true)
        bench.pass(millis(1))
      }
      expect(bench.sipCloses).toContain(leaving)
      expect(settled(bench)).not.toContain(leaving)
    }
    expect(bench.stopped.map(({ by }) => by)).toEqual(bench.sipCloses)
    expect(bench.ended).toEqual([])
  })

  test.each([0, 1, 2, 5, 20, 60, 120, 250])(
    'another one dies %i ms after the wish: who is to go counts until it is out, so those that are left are a quorum',
    (ms) => {
      const bench = new Bench().begin()
      bench.endsLeft = true
      const [leaving, other] = bench.followers() as [ReplicaId, ReplicaId]
      const leader = bench.leader()
      // Its voice does not come through: no change of the set is committed with it.
      bench.loses = (frame, from) => frame.kind === 'raft' && from === other
      bench.request(leader, { kind: 'remove', place: placeOf(leaving) })
      bench.pass(millis(ms))
      bench.kill(other)
      bench.pass(seconds(3))
      const { raft } = bench.replica(leader)
      const isOut = raft.configurationIndex <= raft.commitIndex && !raft.configuration.voters.incoming.includes(leaving)
      expect(bench.runs(leaving)).toBe(!isOut)
      if (raft.configuration.voters.incoming.includes(leaving)) expect(raft.isLeader).toBe(true)
    },
  )

  test('nobody agrees any more: it waits, and once the wish is taken back it ends, to be started again', () => {
    const bench = new Bench().begin()
    const [leaving, other] = bench.followers() as [ReplicaId, ReplicaId]
    bench.request(bench.leader(), { kind: 'remove', place: placeOf(leaving) })
    while (!bench.sipCloses.includes(leaving)) bench.pass(millis(1))
    bench.kill(other)
    bench.step(leaving, { kind: 'sip-closed' })
    bench.pass(seconds(20))
    bench.endsLeft = true
    expect([bench.runs(leaving), bench.ended]).toEqual([true, []])
    const view = membersAt(bench).members.find(({ id }) => id === leaving)
    expect(view?.stage).toMatchObject({ kind: 'held', reason: expect.stringContaining('no quorum') })
    bench.request(bench.leader(), { kind: 'add', place: placeOf(leaving), peer: 'a:1', admin: 'a:2' })
    bench.pass(seconds(1))
    expect(bench.ended).toEqual([leaving])
  })

  test('the wish is taken back while its log still tells of it: after a restart it stays', () => {
    const bench = grown(new Bench().begin())
    const leaving = must(bench.followers()[0], 'a follower')
    const rest = bench.ids.filter((id) => id !== leaving)
    bench.loses = (frame, from, to) => frame.kind === 'raft' && (from === leaving || to === leaving)
    bench.request(bench.leader(), { kind: 'remove', place: placeOf(leaving) })
    const addresses = { peer: 'a:1', admin: 'a:2' }
    bench.request(bench.leader(), { kind: 'add', place: placeOf(leaving), ...addresses })
    bench.loses = () => false
    expect(settled(bench)).toEqual([...rest, leaving].sort((a, b) => a - b))
    bench.kill(leaving)
    bench.restart(leaving)
    bench.pass(seconds(3))
    expect([bench.sipCloses, bench.ended, bench.stopped]).toEqual([[], [], []])
  })

  test('the leader too: another leads at once, and it stops', () => {
    const bench = grown(new Bench().begin())
    const first = bench.leader()
    bench.request(first, { kind: 'remove', place: placeOf(first) })
    expect(settled(bench)).toEqual(bench.ids.filter((id) => id !== first))
    expect(bench.leader()).not.toBe(first)
    expect(bench.stopped.map(({ by }) => by)).toEqual([first])
  })

  test('not the last one, not an unknown one, and not if no quorum could be reached', () => {
    const alone = new Bench([], 1).begin()
    expect(alone.request(one, { kind: 'remove', place: 1 })).toMatchObject({ status: 409 })
    const bench = new Bench().begin()
    expect(bench.request(one, { kind: 'remove', place: 9 })).toMatchObject({
      status: 404,
      body: { error: 'the set has no replica 9: it has 1, 2, 3' },
    })
    const [dead, living] = bench.followers()
    bench.kill(must(dead, 'one'))
    bench.pass(seconds(1))
    expect(bench.request(bench.leader(), { kind: 'remove', place: placeOf(must(living, 'two')) })).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('no quorum') },
    })
  })

  test('one after another: while one is leaving, a second removal would count it as one who stays', () => {
    const bench = grown(new Bench().begin())
    const [first, second] = bench.followers().map((id) => ({ kind: 'remove', place: placeOf(id) }) as const)
    if (first === undefined || second === undefined) throw new Error('it has followers')
    expect(bench.request(bench.leader(), first)).toMatchObject({ status: 202 })
    expect(bench.request(bench.leader(), second)).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining(`replica ${first.place} is still leaving`) },
    })
    settled(bench)
    expect(bench.request(bench.leader(), second)).toMatchObject({ status: 202 })
    expect(settled(bench)).toHaveLength(2)
  })

  test('one leaves at a time: who is replaced serves on while another one is leaving', () => {
    const bench = grown(new Bench().begin())
    bench.pass(seconds(2))
    const [first, second] = bench.followers() as [ReplicaId, ReplicaId]
    const replace = { kind: 'replace', place: placeOf(second), id: second, peer: null, admin: null } as const
    bench.request(bench.leader(), replace)
    bench.request(bench.leader(), { kind: 'remove', place: placeOf(first) })
    bench.join(placeOf(second), 'fresh')
    bench.pass(seconds(3))
    expect(bench.sipCloses).toEqual([first])
    expect(bench.serving()).toContain(second)
    expect(stageOf(bench, replace)).toBe('held')
    bench.endsLeft = true
    bench.step(first, { kind: 'sip-closed' })
    expect(settled(bench)).toHaveLength(3)
    expect(bench.sipCloses).toEqual([first, second])
  })

  test('and comes back with a fresh disk under another identity', () => {
    const bench = grown(new Bench().begin())
    bench.request(one, { kind: 'remove', place: 4 })
    expect(settled(bench)).toEqual([one, two, three])
    bench.request(one, add)
    const again = memberId(4, 2)
    expect(bench.join(4, 'other')).toBe(again)
    expect(settled(bench)).toEqual([one, two, three, again])
  })
})

describe('a replica comes without its disk', () => {
  test('it is another incarnation of its place, and takes it in one change', () => {
    const bench = new Bench().begin()
    const [lost] = bench.followers()
    const place = placeOf(must(lost, 'a follower'))
    bench.kill(must(lost, 'a follower'))
    bench.pass(seconds(1))
    const fresh = memberId(place, 1)
    expect(bench.join(place, 'fresh')).toBe(fresh)
    expect(settled(bench)).toEqual([...bench.ids.filter((id) => id !== lost)])
    expect(bench.replica(bench.leader()).store.book.isGone(must(lost, 'it'))).toBe(true)
  })

  test('while the one that has the place lives, it is refused, unless that is to be replaced', () => {
    const bench = new Bench().begin()
    bench.pass(seconds(1))
    const [old] = bench.followers()
    const place = placeOf(must(old, 'a follower'))
    expect(bench.join(place, 'fresh')).toMatchObject({ ok: false, error: expect.stringContaining('runs already') })
    const replace: MemberRequest = { kind: 'replace', place, id: must(old, 'it'), peer: null, admin: null }
    expect(stageOf(bench, replace)).toBe('awaited')
    const fresh = bench.join(place, 'fresh')
    expect(fresh).toBe(memberId(place, 1))
    expect(settled(bench)).toContain(fresh)
    expect(bench.stopped.map(({ by }) => by)).toEqual([old])
    expect(stageOf(bench, replace)).toBe('done')
    expect(bench.serving()).not.toContain(old)
  })

  test.each([false, true])(
    'who is replaced votes until the change is committed: who only has it in its log tells nobody that he is out (the leader dies with it: %s)',
    (dies) => {
      const bench = new Bench().begin()
      bench.endsLeft = true
      const old = must(bench.followers()[0], 'a follower')
      const [leader, place] = [bench.leader(), placeOf(old)]
      // The change without it gets to nobody.
      bench.loses = (frame) => frame.kind === 'raft' && frame.messages.some((message) => endsWith(message, old))
      bench.request(leader, { kind: 'replace', place, id: old, peer: null, admin: null })
      bench.join(place, 'fresh')
      bench.pass(seconds(3))
      const { raft } = bench.replica(leader)
      expect(membersOf(raft.configuration)).not.toContain(old)
      expect(raft.configurationIndex).toBeGreaterThan(raft.commitIndex)
      expect([bench.runs(old), bench.stopped]).toEqual([true, []])
      expect(membersAt(bench).members.find((member) => member.place === place)?.stage.kind).toBe('joint')
      if (dies) bench.kill(leader)
      bench.loses = () => false
      bench.pass(seconds(3))
      expect(settled(bench)).toContain(memberId(place, 1))
      expect(bench.leader()).not.toBe(dies ? leader : old)
      expect(bench.stopped.map(({ by }) => by)).toEqual([old])
    },
  )

  test('who is to be replaced and was silent for a moment is back, for the new one is not ready', () => {
    const bench = new Bench().begin()
    const old = must(bench.followers()[0], 'a follower')
    const place = placeOf(old)
    bench.request(bench.leader(), { kind: 'replace', place, id: old, peer: null, admin: null })
    bench.loses = (frame, _from, to) => frame.kind === 'raft' && to === memberId(place, 1)
    bench.join(place, 'fresh')
    bench.stop(old)
    bench.pass(seconds(1))
    expect(bench.serving()).not.toContain(old)
    bench.resume(old)
    bench.pass(seconds(4))
    expect(bench.serving()).toContain(old)
    expect(bench.sipCloses).toEqual([])
    bench.loses = () => false
    bench.endsLeft = true
    expect(settled(bench)).toContain(memberId(place, 1))
    expect(bench.sipCloses).toEqual([old])
  })

  test('the old disk, put back, is told that it is out', () => {
    const bench = new Bench().begin()
    const lost = must(bench.followers()[0], 'a follower')
    bench.kill(lost)
    bench.pass(seconds(1))
    bench.join(placeOf(lost), 'fresh')
    settled(bench)
    bench.restart(lost)
    for (const id of bench.ids) if (id !== lost) bench.link(lost, id, 'removed')
    expect(bench.stopped).toEqual([])
    bench.pass(limits.removed)
    expect(bench.stopped.map(({ by }) => by)).toEqual([lost])
  })

  test('a second fresh disk takes the place of the first, which was on its way', () => {
    const bench = new Bench().begin()
    const lost = must(bench.followers()[0], 'a follower')
    const place = placeOf(lost)
    bench.kill(lost)
    bench.pass(seconds(1))
    const first = bench.join(place, 'first') as ReplicaId
    bench.kill(first)
    bench.pass(seconds(1))
    const second = bench.join(place, 'second')
    expect(second).toBe(memberId(place, 2))
    const voters = settled(bench)
    expect(voters).toContain(second)
    expect(voters).not.toContain(first)
    expect(voters).not.toContain(lost)
  })
})

describe('leadership is handed over', () => {
  test('to a place, and away from who is asked', () => {
    const bench = new Bench().begin()
    const to = must(bench.followers()[0], 'a follower')
    const request: MemberRequest = { kind: 'transfer', place: placeOf(to) }
    expect(stageOf(bench, request)).toBe('handing-over')
    bench.pass(millis(200))
    expect(bench.leader()).toBe(to)
    expect(stageOf(bench, request)).toBe('done')
    expect(stageOf(bench, { kind: 'transfer', place: null }, to)).toBe('handing-over')
    bench.pass(millis(200))
    expect(bench.leader()).not.toBe(to)
    expect(stageOf(bench, { kind: 'transfer', place: null }, to)).toBe('done')
  })

  test('not to who is dead or no voter', () => {
    const bench = new Bench().begin()
    const dead = must(bench.followers()[0], 'a follower')
    bench.kill(dead)
    expect(bench.request(bench.leader(), { kind: 'transfer', place: placeOf(dead) })).toMatchObject({ status: 409 })
    expect(bench.request(bench.leader(), { kind: 'transfer', place: 8 })).toMatchObject({ status: 404 })
  })
})

describe('somebody dies on the way', () => {
  /** Runs a replacement of a dead follower of five and lets `strike` happen once `when` holds. Who in the end votes and should
   * not, or the other way round. */
  function replaced(
    when: (bench: Bench, fresh: ReplicaId) => boolean,
    strike: (bench: Bench) => void,
  ): readonly ReplicaId[] {
    const bench = new Bench([], 5).begin()
    const lost = must(bench.followers()[0], 'a follower')
    bench.kill(lost)
    bench.pass(seconds(1))
    const fresh = bench.join(placeOf(lost), 'fresh') as ReplicaId
    for (let steps = 0; !when(bench, fresh); steps++) {
      if (steps > 2_000) throw new Error('that moment does not come')
      bench.pass(millis(1))
    }
    strike(bench)
    const voters = settled(bench)
    return bench.ids.filter((id) => voters.includes(id) === (id === lost))
  }

  const config = (bench: Bench) => bench.replica(bench.leader()).raft.configuration
  const killLeader = (bench: Bench): void => bench.kill(bench.leader())

  test('the leader, while the new one is a learner', () => {
    expect(replaced((bench, fresh) => config(bench).learners.includes(fresh), killLeader)).toEqual([])
  })

  test('the leader, once the change is made', () => {
    expect(replaced((bench, fresh) => config(bench).voters.incoming.includes(fresh), killLeader)).toEqual([])
  })

  test('the new one, and it starts again from its disk', () => {
    const wrong = replaced(
      (bench, fresh) => config(bench).learners.includes(fresh),
      (bench) => {
        const fresh = must(bench.ids.at(-1), 'the last that came')
        bench.kill(fresh)
        bench.pass(seconds(3))
        bench.restart(fresh)
      },
    )
    expect(wrong).toEqual([])
  })

  test.each([0, 1, 2, 5, 20, 60, 100, 110, 120, 130, 200, 400])(
    'the leader, %i ms after a fresh one came: the next one goes on',
    (ms) => {
      const bench = new Bench([], 5).begin()
      const lost = must(bench.followers()[0], 'a follower')
      bench.kill(lost)
      bench.pass(seconds(1))
      const fresh = bench.join(placeOf(lost), 'fresh') as ReplicaId
      bench.pass(millis(ms))
      killLeader(bench)
      const voters = settled(bench)
      expect([voters.includes(fresh), voters.includes(lost), voters.length]).toEqual([true, false, 5])
    },
  )

  test.each([0, 1, 5, 20, 60, 120, 250])(
    'the leader, %i ms after a removal was asked for: the next one goes on',
    (ms) => {
      const bench = new Bench([], 5).begin()
      bench.endsLeft = true
      const leaving = must(bench.followers()[0], 'a follower')
      bench.request(bench.leader(), { kind: 'remove', place: placeOf(leaving) })
      bench.pass(millis(ms))
      killLeader(bench)
      const voters = settled(bench)
      expect([voters.includes(leaving), voters.length]).toEqual([false, 4])
      expect(bench.replica(bench.leader()).store.book.isGone(leaving)).toBe(true)
    },
  )

  test('all of them, in the joint configuration, and start again', () => {
    const bench = new Bench().begin()
    const lost = must(bench.followers()[0], 'a follower')
    bench.kill(lost)
    bench.pass(seconds(1))
    const fresh = bench.join(placeOf(lost), 'fresh') as ReplicaId
    // The joint configuration comes to all disks, and no word of it comes back.
    bench.loses = (frame) =>
      bench.replica(bench.leader()).raft.configuration.voters.outgoing.length > 0 &&
      frame.kind === 'raft' &&
      frame.messages.some(({ kind }) => kind === 'append-response')
    const running = bench.ids.filter((id) => id !== lost)
    for (let steps = 0; steps < 1_000 && config(bench).voters.outgoing.length === 0; steps++) bench.pass(millis(1))
    expect(config(bench).voters.outgoing).toEqual([one, two, three])
    for (const id of running) bench.kill(id)
    bench.loses = () => false
    for (const id of running) bench.restart(id)
    bench.pass(seconds(3))
    expect(settled(bench)).toEqual([...running])
    expect(bench.replica(fresh).raft.configuration.voters.incoming).toContain(fresh)
  })
})

describe('the majority is gone for good', () => {
  const alone: MemberRequest = { kind: 'rebootstrap', place: 1, lose: [2, 3] }

  test('an operator says so: one goes on alone with what it has, and fresh ones join it', () => {
    const bench = new Bench().begin()
    bench.kill(two)
    bench.kill(three)
    bench.pass(seconds(3))
    expect(bench.replica(one).raft.leader).toBeNull()
    const before = bench.replica(one).store.appliedIndex
    expect(bench.request(one, alone)).toMatchObject({ status: 200, body: { ok: true } })
    bench.pass(seconds(2))
    expect(bench.lines.some(({ code, by }) => code === 'rebootstrap' && by === one)).toBe(true)
    expect(bench.leader()).toBe(one)
    expect(bench.replica(one).raft.configuration.voters.incoming).toEqual([one])
    expect(bench.replica(one).store.appliedIndex).toBeGreaterThan(before)
    expect(bench.serving()).toEqual([one])
    for (const id of [two, three]) expect(bench.replica(one).store.book.isGone(id)).toBe(true)
    // Numbers that the lost ones may have given out are not given out again.
    expect(bench.join(2, 'fresh2')).toBe(memberId(2, 1_001))
    expect(bench.join(3, 'fresh3')).toBe(memberId(3, 1_001))
    expect(settled(bench)).toEqual([one, memberId(2, 1_001), memberId(3, 1_001)])
    bench.request(one, add)
    expect(bench.join(4, 'disk4')).toBe(memberId(4, 1_001))
  })

  test('it is refused while a quorum is linked, though nobody leads, and while that may still come', () => {
    const bench = new Bench().begin()
    bench.loses = (frame) => frame.kind === 'raft'
    bench.pass(seconds(3))
    expect(bench.replica(one).raft.leader).toBeNull()
    const linked = bench.request(one, alone)
    expect(linked).toMatchObject({ status: 409, body: { error: expect.stringContaining('replicas 2, 3 run') } })
    bench.kill(two)
    bench.kill(three)
    bench.kill(one)
    bench.restart(one)
    expect(bench.request(one, alone)).toMatchObject({ status: 503 })
    bench.pass(seconds(1))
    expect(bench.request(one, alone)).toMatchObject({ status: 200 })
  })

  test('one that was only cut off is told so: the others, which it gives up, hear that and go on', () => {
    const bench = new Bench().begin()
    bench.loses = (_frame, from, to) => from === one || to === one
    for (const id of [two, three]) {
      bench.link(one, id, 'closed')
      bench.link(id, one, 'closed')
    }
    bench.pass(seconds(3))
    const leader = bench.ids.find((id) => id !== one && bench.replica(id).raft.isLeader)
    expect(bench.request(one, alone)).toMatchObject({ status: 200 })
    for (let times = 0; times < 30; times++) {
      for (const id of [two, three]) bench.link(id, one, 'removed')
      bench.pass(millis(500))
    }
    expect(bench.stopped).toEqual([])
    expect(bench.replica(must(leader, 'of the two')).raft.isLeader).toBe(true)
    const told = bench.lines.filter(({ code }) => code === 'removed-unknown')
    expect(told.map(({ by }) => by).toSorted()).toEqual([two, three])
  })

  test('it is refused while somebody leads, without the names of all that are given up, and elsewhere', () => {
    const bench = new Bench().begin()
    expect(bench.request(one, alone)).toMatchObject({ status: 409, body: { error: expect.stringContaining('leads') } })
    bench.kill(two)
    bench.kill(three)
    bench.pass(seconds(3))
    const few = bench.request(one, { ...alone, lose: [2] })
    expect(few).toMatchObject({ status: 409, body: { error: expect.stringContaining('--i-lose 2,3') } })
    const other = bench.request(one, { ...alone, place: 2 })
    expect(other).toMatchObject({ status: 409, body: { error: expect.stringContaining('ask replica 2 itself') } })
    expect(bench.replica(one).raft.leader).toBeNull()
  })
})

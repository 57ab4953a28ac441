// A leader's view of one follower against that follower as it is, over a network that loses, doubles and reorders. What the leader
// takes for matching must be there; nothing is ever stuck: when the network is good again, all entries arrive.

import fc from 'fast-check'
import { must } from '../../src/base/assert.ts'
import { index } from '../../src/base/brand.ts'
import { instant, micros } from '../../src/base/instant.ts'
import { Progress } from '../../src/raft/progress.ts'
import { command, findByWalks, holds, same } from './model.ts'
import type { Model } from './model.ts'

const mostInflight = 3
const mostBytes = 60
const entrySize = 10

type Message =
  | { readonly kind: 'append'; readonly prev: number; readonly last: number }
  | { readonly kind: 'snapshot'; readonly at: number }
  | { readonly kind: 'ack'; readonly at: number }
  | { readonly kind: 'reject'; readonly at: number; readonly hint: number }

interface World {
  /** The leader's log: `first` to `last`. */
  first: number
  last: number
  /** The follower's log ends at `length`, and is the leader's up to `agrees`. */
  length: number
  agrees: number
  net: Message[]
  /** Appends with entries, sent since the leader last began to pipeline, that are not acknowledged. */
  open: { readonly last: number; readonly bytes: number }[]
  matched: number
  now: number
}

type Command = fc.Command<World, Progress>

const few = fc.integer({ min: 1, max: 4 })
const which = fc.nat({ max: 20 })

const commands: fc.Arbitrary<Command>[] = [
  few.map((count) => checked(`propose ${count}`, (world) => void (world.last += count))),
  few.map((count) => checked(`send ${count}`, (world, peer) => send(world, peer, count))),
  few.map((count) => checked(`send ${count} again`, (world, peer) => send(world, peer, count))),
  which.chain((at) =>
    fc.nat({ max: 5 }).map((pick) => checked(`deliver ${at}`, (world, peer) => deliver(world, peer, at, pick))),
  ),
  which.chain((at) =>
    fc.nat({ max: 5 }).map((pick) => checked(`deliver ${at} too`, (world, peer) => deliver(world, peer, at, pick))),
  ),
  which.map((at) => checked(`lose ${at}`, (world) => void world.net.splice(at % Math.max(1, world.net.length), 1))),
  which.map((at) => checked(`double ${at}`, (world) => void world.net.push(...world.net.slice(at % 8, (at % 8) + 1)))),
  fc.constant(checked('heartbeat', heartbeat)),
  few.map((keep) =>
    checked(`compact to ${keep}`, (world) => void (world.first = Math.max(world.first, world.last - keep))),
  ),
  fc.boolean().map((arrived) => checked(`report ${arrived}`, (_, peer) => peer.snapshotDone(arrived))),
  fc.constant(checked('unreachable', (_, peer) => peer.reportUnreachable())),
]

export const progressModel: Model = {
  key: 'progress',
  name: "what a leader takes for a follower's log is there, its window counts what is in flight, and nothing is stuck",
  find: (search) => findByWalks([...commands, fc.constant(command('a good network', recover))], start, search),
}

function start(): { model: World; real: Progress } {
  const model: World = { first: 1, last: 8, length: 6, agrees: 3, net: [], open: [], matched: 0, now: 0 }
  return { model, real: new Progress(index(9), mostInflight, mostBytes) }
}

function checked(name: string, run: (world: World, peer: Progress) => void): Command {
  return command(name, (world, peer) => {
    world.now++
    run(world, peer)
    check(world, peer)
  })
}

function check(world: World, peer: Progress): void {
  if (peer.state !== 'replicate') world.open = []
  world.open = world.open.filter(({ last }) => last > peer.match)
  holds(`match ${peer.match} is there, of which ${world.agrees} is`, peer.match <= world.agrees)
  holds(`match ${peer.match} does not fall below ${world.matched}`, peer.match >= world.matched)
  holds(
    `match ${peer.match} < next ${peer.next} <= ${world.last + 1}`,
    peer.match < peer.next && peer.next <= world.last + 1,
  )
  same('appends in flight', world.open.length, peer.inflight)
  same(
    'their bytes',
    world.open.reduce((sum, { bytes }) => sum + bytes, 0),
    peer.inflightBytes,
  )
  holds('the window is not passed', peer.inflight <= mostInflight)
  holds('a window that is full is closed', !(peer.open && peer.inflight === mostInflight))
  holds('a snapshot is waited for in its state alone', peer.pendingSnapshot > 0 === (peer.state === 'snapshot'))
  world.matched = peer.match
}

function send(world: World, peer: Progress, count: number): void {
  if (peer.next < world.first) return sendSnapshot(world, peer)
  const prev = peer.next - 1
  const left = world.last - prev
  const isPipelined = peer.state === 'replicate'
  const entries = peer.open ? Math.min(count, left) : 0
  if (entries === 0 && !peer.wantsEmpty(index(0), false)) return
  world.net.push({ kind: 'append', prev, last: prev + entries })
  if (isPipelined && entries > 0) world.open.push({ last: prev + entries, bytes: entries * entrySize })
  peer.sent(index(prev + entries), index(0), instant(world.now), entries * entrySize)
  holds('a probe waits for its answer', peer.state !== 'probe' || !peer.open)
}

function sendSnapshot(world: World, peer: Progress): void {
  if (peer.state !== 'replicate' && !peer.open) return
  const at = world.first - 1
  peer.sentSnapshot(index(at))
  world.net.push({ kind: 'snapshot', at })
}

function deliver(world: World, peer: Progress, which: number, pick: number): void {
  const at = which % Math.max(1, world.net.length)
  const [message] = world.net.splice(at, 1)
  if (message === undefined) return
  if (message.kind === 'ack') {
    peer.acknowledged(index(message.at), index(world.first))
    world.open = world.open.filter(({ last }) => last > message.at)
  } else if (message.kind === 'reject') peer.rejected(index(message.at), index(message.hint))
  else world.net.push(followerHears(world, message, pick))
}

/** Paper 5.3 and figure 3.1. `pick` says how good its hint is: anywhere between the truth and one below what was refused. */
function followerHears(world: World, message: Message & { kind: 'append' | 'snapshot' }, pick: number): Message {
  if (message.kind === 'snapshot') {
    take(world, message.at)
    return { kind: 'ack', at: message.at }
  }
  const { prev, last } = message
  if (prev > world.agrees) {
    const least = world.agrees
    const most = Math.max(least, Math.min(prev - 1, world.length))
    return { kind: 'reject', at: prev, hint: least + (pick % (most - least + 1)) }
  }
  take(world, last)
  return { kind: 'ack', at: last }
}

function take(world: World, last: number): void {
  if (last <= world.agrees) return
  world.agrees = last
  world.length = last
}

function heartbeat(world: World, peer: Progress): void {
  peer.answered(instant(world.now), index(world.last), micros(0))
}

/** Rounds in which all arrives; a snapshot that was lost is told, as the caller does. */
function recover(world: World, peer: Progress): void {
  world.net = []
  if (peer.state === 'snapshot') peer.snapshotDone(false)
  const rounds = 4 * (world.last + 4)
  for (let round = 0; round < rounds && peer.match < world.last; round++) {
    world.now++
    heartbeat(world, peer)
    send(world, peer, 4)
    while (world.net.length > 0) deliver(world, peer, 0, 0)
    check(world, peer)
  }
  same('on a good network, match', world.last, must(peer.match, 'a match'))
}

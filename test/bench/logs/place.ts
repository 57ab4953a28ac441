// One of three places, with a replica of each log: the product's replicas (Raft, store, wire) in the product's loop, a loop for each. What is
// left out is the disk, TLS and calls; the load comes in by the second door of `bench:log`.

import { must } from '../../../src/base/assert.ts'
import { life, replicaId } from '../../../src/base/brand.ts'
import type { Life } from '../../../src/base/brand.ts'
import type { Instant } from '../../../src/base/instant.ts'
import { machineClock } from '../../../src/host/clock.ts'
import { Host } from '../../../src/host/host.ts'
import type { World } from '../../../src/host/host.ts'
import { makeLog } from '../../../src/host/log.ts'
import { Replica } from '../../../src/replica/replica.ts'
import type { InputBody } from '../../../src/replica/input.ts'
import { KNOWN_FORMATS } from '../../../src/wire/formats.ts'
import { LoadDoor } from '../log/load-door.ts'
import type { Slot } from '../log/load-door.ts'
import { openLoadPort } from '../log/load-port.ts'
import type { Written } from '../log/load-port.ts'
import { SharedLinks } from './links.ts'

export interface PlaceOrder {
  readonly place: number
  /** By log: the place that is to lead it. */
  readonly leaders: readonly number[]
  /** By place. */
  readonly ports: readonly number[]
  readonly loadPort: number
}

/** Only begins a turn, as a message would. */
const NOTHING: InputBody = { kind: 'stream-closed', stream: '' }
const PLACES = 3
const LOOK_MS = 20

interface Log {
  readonly replica: Replica
  readonly door: LoadDoor
  readonly host: Host
}

async function main({ place, leaders, ports, loadPort }: PlaceOrder): Promise<void> {
  const clock = machineClock()
  const logger = makeLog(`place-${place}`, 'fatal')
  const links = new SharedLinks(place, {
    up: (to) => {
      for (const [log, { host }] of logs.entries())
        host.give({
          kind: 'link',
          peer: replicaId(to),
          state: { kind: 'up', life: lifeOf(to, log), formats: KNOWN_FORMATS },
        })
    },
    frame: (from, log, frame) => logs[log]?.host.give({ kind: 'peer', from: lifeOf(from, log), frame }),
  })
  const logs = leaders.map((_, log): Log => {
    const own = lifeOf(place, log)
    const replica = new Replica({
      ...{
        id: replicaId(place),
        set: `log-${log}`,
        voters: [1, 2, 3].map(replicaId),
        life: own,
        seed: 100 * log + place,
      },
      ...{ freshKey: new Uint8Array(16).fill(log + 1), records: [], durability: 'memory', keptEvents: 0 },
      settings: { sip: { host: '127.0.0.1', port: 5060 }, nextHop: null },
      ...{ now: clock.now(), wall: clock.wall() },
    })
    const door = new LoadDoor(replica, own)
    return { replica, door, host: new Host(door, clock, worldOf(log, links), logger) }
  })
  await links.open(ports)
  for (const { host } of logs) host.start()
  const written = new Dealt(logs)
  await openLoadPort(loadPort, written, () => written.begin())
  const watch = setInterval(() => {
    if (!isSettled(place, logs, leaders, () => clock.now())) return
    clearInterval(watch)
    process.send?.('ready')
  }, LOOK_MS)
}

/** Each log is led by whom it is to be led by, as far as this place knows. Those that this place leads too much are handed over. */
function isSettled(place: number, logs: readonly Log[], leaders: readonly number[], now: () => Instant): boolean {
  let settled = true
  for (const [log, { replica, door, host }] of logs.entries()) {
    const wanted = replicaId(leaders[log] ?? 1)
    if (door.isReady(PLACES) && door.leader === wanted) continue
    settled = false
    if (!door.isReady(PLACES) || door.leader !== replicaId(place)) continue
    replica.raft.transferLeadership(wanted, now())
    host.give(NOTHING)
  }
  return settled
}

/** Groups are dealt out to the logs. */
class Dealt implements Written {
  readonly #logs: readonly Log[]
  readonly #of = new Map<Slot, Log>()
  readonly #touched = new Set<Log>()
  #slots = 0

  constructor(logs: readonly Log[]) {
    this.#logs = logs
  }

  slot(): Slot {
    const log = must(this.#logs[this.#slots++ % this.#logs.length], 'a log')
    const slot = log.door.slot()
    this.#of.set(slot, log)
    return slot
  }

  write(slot: Slot, value: Uint8Array, answer: () => void): void {
    const log = must(this.#of.get(slot), 'a slot of its own')
    log.door.write(slot, value, answer)
    this.#touched.add(log)
  }

  /** What was written since leaves with the turns that begin now. */
  begin(): void {
    for (const { host } of this.#touched) host.give(NOTHING)
    this.#touched.clear()
  }
}

function lifeOf(place: number, log: number): Life {
  return life(replicaId(place), `log${log}`, 1)
}

function worldOf(log: number, links: SharedLinks): World {
  const nothing = (): void => undefined
  return {
    ...{ send: nothing, peers: nothing, flush: nothing, persist: nothing, snapshot: nothing, openSip: nothing },
    ...{ closeSip: nothing, locate: nothing, reply: nothing, notice: nothing },
    peer: ({ to, frame }) => links.send(to, log, frame),
    stop: (why) => {
      process.stderr.write(`a replica ended: ${JSON.stringify(why.kind === 'bug' ? String(why.error) : why)}\n`)
      process.exit(1)
    },
  }
}

process.once('message', (order) => void main(order as PlaceOrder))
process.once('SIGTERM', () => process.exit(0))
process.once('disconnect', () => process.exit(0))

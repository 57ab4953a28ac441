// What a moment is staged with: a set, a crowd of calls, and the one replica that is to die.

import { existsSync } from 'node:fs'
import { index } from '../../src/base/brand.ts'
import type { GroupKey, Life } from '../../src/base/brand.ts'
import { ownerUnder } from '../../src/store/ownership.ts'
import type { Serving } from '../../src/store/view.ts'
import { settled, until } from '../cluster/poll.ts'
import { holdfast } from '../cluster/replica-set.ts'
import type { Place, ReplicaSet, Status } from '../cluster/replica-set.ts'
import { exitOf, isStopped, signalPid } from '../cluster/programs.ts'
import { connectionsOf } from './connections.ts'
import type { Crowd } from './crowd.ts'
import type { Reset } from './live-network.ts'

/** A busy machine takes seconds where a quiet one takes milliseconds. */
const DEADLINE_MS = 60_000

interface Death {
  /** When it was told to end (performance.now())... */
  readonly at: number
  /** ...and the connections that it held then. */
  readonly own: ReadonlySet<string>
  /** Connections of those that lived on... */
  ofOthers: ReadonlySet<string>
  /** ...as they were then. */
  until: number
}

/** Where it is played. */
export interface Theatre {
  readonly set: ReplicaSet
  readonly place: Place
  /** Its data folders are there. */
  readonly data: string
}

const NOTICED_MS = 100
/** drainStreamsMs and drainCloseMs of the host, and a little more. */
const DRAINED_MS = 12_000

export class Stage {
  readonly set: ReplicaSet
  readonly crowd: Crowd
  readonly place: Place
  readonly data: string
  readonly calls: number
  /** Who dies. */
  readonly victim: number
  readonly killed: number[] = []
  /** Connections of those that were killed. */
  readonly #dead = new Set<string>()
  readonly #deaths: Death[] = []
  /** Calls that the victim owned, or, where none is committed yet, those that it had in its hands; null = not looked at yet. */
  owned: number | null = null

  readonly #serving: Serving

  constructor(at: Theatre, crowd: Crowd, calls: number, victim: number, status: Status) {
    this.set = at.set
    this.place = at.place
    this.data = at.data
    this.crowd = crowd
    this.calls = calls
    this.victim = victim
    const members = status.serving.map(({ life, since }) => ({ life: life as Life, since: index(since) }))
    this.#serving = { version: index(1), members }
  }

  get others(): readonly number[] {
    return this.set.ids.filter((id) => id !== this.victim)
  }

  /** All callers have called, and all phones are about to do that; all replicas have all calls in that state. */
  async stand(phase: 'early' | 'confirmed', ...deeds: readonly string[]): Promise<void> {
    this.crowd.call()
    await this.crowd.stands(...deeds)
    await this.#agreed(phase)
  }

  /** The same for what comes next in these calls. */
  async #agreed(phase: 'early' | 'confirmed'): Promise<void> {
    await this.set.statuses(`all calls are ${phase}`, DEADLINE_MS, ({ calls }) => calls[phase] === this.calls)
    await this.count('the victim owns calls', this.victim)
  }

  /** How many calls the victim owned under the serving entry that the play began with, as that replica knows the calls. */
  async count(what: string, asked: number, accept: (owned: number) => boolean = () => true): Promise<void> {
    await settled(
      what,
      DEADLINE_MS,
      async () => {
        const lines = await this.set.calls(asked)
        this.owned = lines.filter(({ group }) => this.#ownerAtFirst(group) === this.victim).length
        return this.owned
      },
      accept,
    )
  }

  #ownerAtFirst(group: string): number {
    return Number.parseInt(ownerUnder(this.#serving, group as GroupKey) ?? '0', 10)
  }

  /** `kill -9`. */
  kill(id = this.victim): void {
    for (const connection of connectionsOf(this.set.pid(id))) this.#dead.add(connection)
    this.#ends(id, NOTICED_MS)
    this.set.kill(id)
  }

  /** Each phone has seen its connection with a replica that was killed end, if it had one: what phones say from now on, none of them
   * writes to a process that is no more. */
  async noticed(): Promise<void> {
    const { network } = this.crowd
    await until('the phones have seen connections of the dead end', DEADLINE_MS, () =>
      [...this.#dead].some((connection) => network.connections.has(connection)) ? null : true,
    )
  }

  /** Told to end: it takes no more connections soon, and has some seconds for those that it has. */
  drain(id: number): void {
    this.#ends(id, DRAINED_MS)
    signalPid(this.set.pid(id), 'SIGTERM')
  }

  /** A process that ended had that connection, or would have had it: it was there by then, and no other one had accepted it. A phone
   * that connects again may be given the port of the connection that it lost: that name is then a survivor's as well. */
  explains({ connection, since }: Reset): boolean {
    return this.#deaths.some(({ at, own, ofOthers, until: ended }) => {
      return since <= at && own.has(connection) ? true : since <= ended && !ofOthers.has(connection)
    })
  }

  /** Of one that no death explains, what is known. */
  tellOf({ connection, since }: Reset): string {
    const deaths = this.#deaths.map(({ at, own, ofOthers, until: ended }) => {
      const held = own.has(connection)
        ? 'held by who died'
        : ofOthers.has(connection)
          ? 'held by a survivor'
          : 'held by nobody'
      return `begun ${Math.round(since - at)} ms after a death that was over after ${Math.round(ended - at)}, ${held}`
    })
    return [connection, ...deaths].join('; ')
  }

  /** What it had connected to just before comes to the phone's notice a little later. */
  #ends(id: number, withinMs: number): void {
    this.killed.push(id)
    const own = connectionsOf(this.set.pid(id))
    const at = performance.now()
    const death: Death = { at, own, ofOthers: this.#connectionsOfLiving(), until: at + withinMs }
    this.#deaths.push(death)
    const place = `/proc/${this.set.pid(id)}`
    // A busy machine takes its time to take a process down, whose sockets are open until then.
    const look = (): void => {
      death.ofOthers = new Set([...death.ofOthers, ...this.#connectionsOfLiving()])
      death.until = Math.max(death.until, performance.now())
      if (existsSync(place)) setTimeout(look, NOTICED_MS)
    }
    setTimeout(look, NOTICED_MS)
  }

  #connectionsOfLiving(): ReadonlySet<string> {
    const pids = this.set.ids.filter((id) => !this.killed.includes(id)).map((id) => this.set.pid(id))
    return new Set(pids.filter((pid) => existsSync(`/proc/${pid}`)).flatMap((pid) => [...connectionsOf(pid)]))
  }

  /** They have stopped when it returns, with their sockets and links as they are: a signal is only on its way when it is sent. */
  async freeze(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.set.freeze(id)
    for (const id of ids) {
      await until(`replica ${id} has stopped`, DEADLINE_MS, () => (isStopped(this.set.pid(id)) ? true : null))
    }
  }

  thaw(ids: readonly number[]): void {
    for (const id of ids) this.set.unfreeze(id)
  }

  async gauge(id: number, name: string): Promise<number> {
    const line = (await this.set.metrics(id)).split('\n').find((text) => text.startsWith(`holdfast_${name} `))
    return Number(line?.split(' ')[1] ?? 0)
  }

  /** Commits whose outcome the victim doesn't know, once there are some and they have stopped becoming more. */
  async open(): Promise<number> {
    let last = 0
    return until('the victim has open commits', DEADLINE_MS, async () => {
      const now = await this.gauge(this.victim, 'commits_open')
      const isSteady = now > 0 && now === last
      last = now
      return isSteady ? now : null
    })
  }

  /** Messages that the victim has read and nobody has handled, or whose commits are open, likewise. */
  async inHands(): Promise<number> {
    let last = 0
    return until('the victim has messages in its hands', DEADLINE_MS, async () => {
      const now = await this.gauge(this.victim, 'inputs_kept')
      const isSteady = now > 0 && now === last
      last = now
      return isSteady ? now : null
    })
  }

  async status(id: number, what: string, accept: (status: Status) => boolean): Promise<void> {
    await settled(what, DEADLINE_MS, () => this.set.status(id), accept)
  }

  /** An operator's command, done with exit code 0. */
  async operate(...args: readonly string[]): Promise<void> {
    const program = holdfast([...args, '--admin', this.place.admin])
    const { code } = await exitOf(program, `holdfast ${args.join(' ')}`, 60_000)
    if (code !== 0) throw new Error(`holdfast ${args.join(' ')}: ${program.stderr()}`)
  }
}

// One test's world: a folder, addresses of its own, a set, phones and perhaps a capture; all of it ends with the test.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startCapture } from './capture.ts'
import { place, startSet } from './replica-set.ts'
import { startCallee, startCaller } from './sipp.ts'
import type { Capture } from './capture.ts'
import type { Place, ReplicaSet, SetOptions } from './replica-set.ts'
import type { CallerOptions, Sipp, SippOptions, SippTransport } from './sipp.ts'

export type Script = SippOptions['scenario']

/** A pair of scenarios that fit together. */
export interface Phones {
  readonly name: string
  readonly caller: Script
  readonly callee: Script
}

const own = (name: string): Script => ({ file: fileURLToPath(new URL(`scenarios/${name}.xml`, import.meta.url)) })

export const phones = {
  builtIn: { name: "SIPp's built-in uac and uas", caller: { builtIn: 'uac' }, callee: { builtIn: 'uas' } },
  // The built-in uas fails a call whose INVITE comes again, as it may when its owner dies (17.1.1.2).
  builtInCaller: { name: "SIPp's built-in uac", caller: { builtIn: 'uac' }, callee: own('callee') },
  routed: { name: 'phones with a route set', caller: own('caller'), callee: own('callee') },
  calleeHangsUp: { name: 'a callee that hangs up', caller: own('caller-waits'), callee: own('callee-hangs-up') },
  answeredLate: { name: 'a callee that answers late', caller: own('caller'), callee: own('callee-answers-late') },
  timed: { name: 'phones with a route set, answers timed', caller: own('caller-timed'), callee: own('callee') },
  cancelled: { name: 'a caller that cancels', caller: own('caller-cancels'), callee: own('callee-rings') },
} satisfies Record<string, Phones>

/** What the environment adds: a folder with `uac.xml` and `uas.xml` of somebody else's. */
export const foreignPhones: readonly Phones[] =
  process.env['HOLDFAST_BASELINE'] === undefined
    ? []
    : [
        {
          name: 'the phones of $HOLDFAST_BASELINE',
          caller: { file: join(process.env['HOLDFAST_BASELINE'], 'uac.xml') },
          callee: { file: join(process.env['HOLDFAST_BASELINE'], 'uas.xml') },
        },
      ]

export interface Load {
  readonly phones: Phones
  /** The caller's; the callee takes datagrams or streams alike on one socket. */
  readonly transport: SippTransport
  readonly rate: number
  readonly calls: number
  readonly holdMs: number
  /** For the callee's own pauses; default: the same. */
  readonly calleeHoldMs?: number
  /** The caller writes down its response times. */
  readonly responseTimes?: boolean
}

export class Scene {
  readonly place: Place
  readonly folder: string
  readonly #sets: ReplicaSet[] = []
  readonly #phones: Sipp[] = []
  readonly #captures: Capture[] = []
  #loads = 0

  constructor(slot: number) {
    this.place = place(slot)
    this.folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  }

  async set(options: Omit<SetOptions, 'place'> = {}): Promise<ReplicaSet> {
    const set = this.adopt(await startSet({ ...options, place: this.place }))
    // Tests ask for all calls just before they kill somebody: the first such answer, of code that was never run, takes tens of milliseconds.
    await Promise.allSettled(set.ids.map((id) => set.calls(id)))
    return set
  }

  /** Has a set ended with this scene. */
  adopt(set: ReplicaSet): ReplicaSet {
    this.#sets.push(set)
    return set
  }

  /** Starts a callee and a caller towards the set. */
  async load(load: Load): Promise<{ caller: Sipp; callee: Sipp }> {
    const { holdMs, transport } = load
    const at = ++this.#loads
    const callee = await startCallee({
      local: this.place.callee,
      folder: join(this.folder, `callee-${at}`),
      transport: transport === 't1' ? 't1' : 'u1',
      scenario: load.phones.callee,
      holdMs: load.calleeHoldMs ?? holdMs,
    })
    this.#phones.push(callee)
    const order: CallerOptions = {
      local: this.place.caller,
      folder: join(this.folder, `caller-${at}`),
      transport,
      scenario: load.phones.caller,
      holdMs,
      remote: this.place.sip,
      calls: load.calls,
      rate: load.rate,
      responseTimes: load.responseTimes === true,
    }
    const caller = await startCaller(order)
    this.#phones.push(caller)
    return { caller, callee }
  }

  /** Has a phone ended with this scene. */
  adoptPhone(phone: Sipp): void {
    this.#phones.push(phone)
  }

  async capture(): Promise<Capture> {
    const hosts = [this.place.caller, this.place.callee].map((address) => address.slice(0, address.lastIndexOf(':')))
    const capture = await startCapture(hosts, join(this.folder, `capture-${this.#captures.length}.pcap`))
    this.#captures.push(capture)
    return capture
  }

  /** What a reader of a failed test wants to see. */
  story(): string {
    const errors = this.#phones.map((phone) => `${JSON.stringify(phone.stats())}\n${phone.errors().slice(0, 4_000)}`)
    const logs = this.#sets.map((set) => set.stderr().slice(-4_000))
    return [...errors, ...logs].join('\n---\n')
  }

  async end(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.destroy()))
    await Promise.all(this.#captures.map((capture) => capture.destroy()))
    await Promise.all(this.#sets.map((set) => set.destroy()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Runs a test in a scene of its own and cleans up, however it went. */
export async function inScene(slot: number, play: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = new Scene(slot)
  try {
    await play(scene)
  } catch (error) {
    const story = scene.story()
    if (error instanceof Error) error.message += `\n${story}`
    throw error
  } finally {
    await scene.end()
  }
}

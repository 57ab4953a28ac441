// A place where moments are played one after another: the set of the last one is there still, if it fits and nothing went wrong, so
// that the same replicas die again and again.

import { join } from 'node:path'
import type { Transport } from '../../sim/ladder.ts'
import { launchSet } from '../cluster/replica-set.ts'
import { Scene } from '../cluster/scene.ts'
import type { Moment } from './moment.ts'
import type { Theatre } from './stage.ts'

/** Three processes on a machine that others use. */
const STARTS_WITHIN_MS = 90_000

interface Standing extends Theatre {
  readonly scene: Scene
  readonly fits: string
}

export class House {
  readonly #slot: number
  #standing: Standing | null = null

  /** `slot`: its own addresses (replica-set.ts). */
  constructor(slot: number) {
    this.#slot = slot
  }

  /** A set as the moment wants it, all of which serves. */
  async open(moment: Moment, transport: Transport): Promise<Theatre> {
    const fits = JSON.stringify([moment.set ?? null, moment.forks === true ? transport : null])
    if (this.#standing?.fits !== fits) {
      await this.close()
      this.#standing = await this.#start(moment, transport, fits)
    }
    const { set } = this.#standing
    await set.statuses('all serve', STARTS_WITHIN_MS, ({ serving }) => serving.length === set.ids.length)
    return this.#standing
  }

  /** What a reader of a failure wants to see. */
  story(): string {
    return this.#standing?.scene.story() ?? ''
  }

  /** The next moment gets another set. */
  async close(): Promise<void> {
    const { scene } = this.#standing ?? {}
    this.#standing = null
    await scene?.end()
  }

  async #start(moment: Moment, transport: Transport, fits: string): Promise<Standing> {
    const scene = new Scene(this.#slot)
    const data = join(scene.folder, 'data')
    const [first, second] = hopsOf(scene.place.callee)
    const nextHop = moment.forks === true ? `${first};transport=${transport},${second};transport=${transport}` : null
    const set = scene.adopt(launchSet({ place: scene.place, data, restart: '1', nextHop, ...moment.set }))
    try {
      await set.event('ready', STARTS_WITHIN_MS, ({ event }) => event === 'ready')
      return { scene, set, place: scene.place, data, fits }
    } catch (error) {
      await scene.end()
      throw error
    }
  }
}

/** Where the callees of a fork are. */
export function hopsOf(callee: string): readonly [string, string] {
  return [callee, callee.replace(/\d+$/, (port) => String(Number(port) + 1))]
}

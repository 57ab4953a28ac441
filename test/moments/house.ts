// A place where moments are played one after another: the set of the last one is there still, if it fits and nothing went wrong, so
// that the same replicas die again and again.

import { join } from 'node:path'
import { launchSet } from '../cluster/replica-set.ts'
import { Scene } from '../cluster/scene.ts'
import type { Moment } from './moment.ts'
import type { Theatre } from './stage.ts'
import { keysFor, listenAt, placeFor } from './ways.ts'
import type { Keys, Way } from './ways.ts'

/** Three processes on a machine that others use. */
const STARTS_WITHIN_MS = 90_000

interface Standing extends Theatre {
  readonly scene: Scene
  readonly fits: string
  readonly keys: Keys
}

export class House {
  readonly #slot: number
  #standing: Standing | null = null

  /** `slot`: its own addresses (replica-set.ts). */
  constructor(slot: number) {
    this.#slot = slot
  }

  /** A set as the moment wants it, all of which serves. */
  async open(moment: Moment, way: Way): Promise<Standing> {
    const fits = JSON.stringify([way.listens, moment.set ?? null, moment.forks === true ? way.by : null])
    if (this.#standing?.fits !== fits) {
      await this.close()
      this.#standing = await this.#start(moment, way, fits)
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

  async #start(moment: Moment, way: Way, fits: string): Promise<Standing> {
    const scene = new Scene(this.#slot)
    const place = placeFor(this.#slot, way)
    const keys = keysFor(place, way, scene.folder)
    const data = join(scene.folder, 'data')
    const [first, second] = hopsOf(place.callee)
    const nextHop = moment.forks === true ? `${first};transport=${way.by},${second};transport=${way.by}` : null
    const extra = [...keys.args, ...(moment.set?.extra ?? [])]
    const at = { ...place, sip: listenAt(place.sip, way) }
    const set = scene.adopt(launchSet({ place: at, data, restart: '1', nextHop, ...moment.set, extra }))
    try {
      await set.event('ready', STARTS_WITHIN_MS, ({ event }) => event === 'ready')
      return { scene, set, place, data, fits, keys }
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

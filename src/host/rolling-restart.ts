// A rolling restart of the set that `up` runs (decisions/0023): one replica after another is told to end, hands over, is started
// again and waited for until it serves. At each moment all the others serve; if they don't, it goes no further. The leader comes
// last, so that leadership is handed over once and to a replica that was restarted already.
//
//     waits for all to serve --> drains --> starts --> catches up --> serves --> the next

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { hostLimits } from './limits.ts'

/** A replica's `/status`, as far as it is needed here. */
export interface RollStatus {
  readonly leader: number | null
  readonly life: string
  readonly serving: readonly { readonly id: number; readonly life: string }[]
}

export interface RollPorts {
  /** The set's replicas, in rising order. */
  readonly replicas: readonly number[]
  /** Null: it doesn't answer. */
  status(replica: number): Promise<RollStatus | null>
  /** It is told to end, and started again as soon as it has; resolves then. */
  cycle(replica: number): Promise<void>
  sleep(ms: number): Promise<void>
}

export interface RollStep {
  readonly replica: number
  readonly stage: 'waits' | 'drains' | 'catches up' | 'serves'
}

export interface RollState {
  readonly running: boolean
  readonly steps: readonly RollStep[]
  /** Why it went no further; null = it didn't fail. */
  readonly failed: string | null
}

export class RollingRestart {
  readonly #ports: RollPorts
  readonly #steps: RollStep[] = []
  #failed: string | null = null
  #isRunning = false

  constructor(ports: RollPorts) {
    this.#ports = ports
  }

  get state(): RollState {
    return { running: this.#isRunning, steps: [...this.#steps], failed: this.#failed }
  }

  /** Never rejects. */
  async run(): Promise<void> {
    this.#isRunning = true
    for (const replica of await this.#order()) {
      const done = await this.#restart(replica)
      if (done.ok) continue
      this.#failed = done.error
      break
    }
    this.#isRunning = false
  }

  async #order(): Promise<readonly number[]> {
    const { replicas, status } = this.#ports
    const statuses = await Promise.all(replicas.map((replica) => status(replica)))
    const leader = statuses.find((one) => one !== null && one.leader !== null)?.leader ?? null
    return [...replicas.filter((replica) => replica !== leader), ...replicas.filter((replica) => replica === leader)]
  }

  async #restart(replica: number): Promise<Result<null, string>> {
    const { replicas, status, cycle } = this.#ports
    this.#say(replica, 'waits')
    const late = `replica ${replica} and those after it were not restarted: after ${hostLimits.rollMs / 1_000} s not all of the others serve; bring them up first`
    if (!(await this.#comes(async () => (await this.#missing()).length === 0))) return err(late)
    const before = (await status(replica))?.life ?? null
    this.#say(replica, 'drains')
    await cycle(replica)
    this.#say(replica, 'catches up')
    const others = replicas.filter((other) => other !== replica)
    const isBack = async (): Promise<boolean> => {
      const own = await status(replica)
      if (own === null || own.life === before) return false
      const seen = await Promise.all(others.map((other) => status(other)))
      return [own, ...seen].every((one) => one?.serving.some(({ life }) => life === own.life) === true)
    }
    if (!(await this.#comes(isBack))) {
      return err(
        `replica ${replica} was started and does not serve after ${hostLimits.rollMs / 1_000} s: its log says why`,
      )
    }
    this.#say(replica, 'serves')
    return ok(null)
  }

  /** Who doesn't serve, as far as any of them knows. */
  async #missing(): Promise<readonly number[]> {
    const { replicas, status } = this.#ports
    const statuses = await Promise.all(replicas.map((replica) => status(replica)))
    return replicas.filter(
      (replica) => !statuses.every((one) => one?.serving.some(({ id }) => id === replica) === true),
    )
  }

  async #comes(look: () => Promise<boolean>): Promise<boolean> {
    const looks = Math.ceil(hostLimits.rollMs / hostLimits.lookMs)
    for (let left = looks; left > 0; left--) {
      if (await look()) return true
      await this.#ports.sleep(hostLimits.lookMs)
    }
    return false
  }

  #say(replica: number, stage: RollStep['stage']): void {
    this.#steps.push({ replica, stage })
  }
}

// A set gets another release while calls run: one replica after another is told to end and started again, by hand, as on three
// machines (docs/UPGRADING.md). The older release is this one, kept at format 1 by its config file; that what it writes are the
// bytes of format 1 is shown by test/formats.test.ts.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { must } from '../../src/base/assert.ts'
import { expectAllCalls } from './expectations.ts'
import { settled } from './poll.ts'
import { exitOf } from './programs.ts'
import type { Program } from './programs.ts'
import { holdfast, root } from './replica-set.ts'
import type { Status } from './replica-set.ts'
import { inScene, phones } from './scene.ts'
import type { Scene } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const CALLS = 1_000
const IDS = [1, 2, 3]
/** A checkout of an older release, in place of this one kept at format 1. */
const OLDER = process.env['HOLDFAST_OLDER']

type Release = 'older' | 'newer'

interface Shown extends Omit<Status, 'formats'> {
  /** Releases before formats had numbers don't say. */
  readonly formats?: { readonly active: number }
}

/** Three replicas, each started by a command of its own. */
class Machines {
  readonly #configs: Readonly<Record<Release, string>>
  readonly #admin: readonly string[]
  readonly #replicas = new Map<number, Program>()

  constructor(scene: Scene) {
    const { sip, admin, peer, callee } = scene.place
    const data = join(scene.folder, 'set')
    const args = ['--sip', sip, '--admin', admin, '--peer', peer, '--next-hop', callee, '--data', data]
    const printed = spawnSync('npm', ['run', '-s', 'holdfast', '--', 'up', ...args, '--print-config'], { cwd: root })
    const config = JSON.parse(printed.stdout.toString()) as { replicas: { admin: string }[] }
    this.#admin = config.replicas.map((replica) => replica.admin)
    this.#configs = { older: join(scene.folder, 'older.json'), newer: join(scene.folder, 'newer.json') }
    writeFileSync(this.#configs.newer, JSON.stringify(config), { mode: 0o600 })
    writeFileSync(this.#configs.older, JSON.stringify({ ...config, formats: { most: 1 } }), { mode: 0o600 })
  }

  start(id: number, release: Release): Program {
    const isCheckout = release === 'older' && OLDER !== undefined
    const config = this.#configs[isCheckout ? 'newer' : release]
    const program = holdfast(['start', '--config', config, '--replica', String(id)], isCheckout ? OLDER : root)
    this.#replicas.set(id, program)
    return program
  }

  /** SIGTERM, then the other release. */
  async install(id: number, release: Release): Promise<void> {
    const asked = performance.now()
    await this.end(id)
    const ended = performance.now()
    this.start(id, release)
    await this.serve()
    const [down, up] = [Math.round(ended - asked), Math.round(performance.now() - ended)]
    console.log(`replica ${id} ended after ${down} ms, and served with the ${release} release ${up} ms later`)
  }

  async end(id: number): Promise<void> {
    const program = must(this.#replicas.get(id), 'a replica that runs')
    program.signal('SIGTERM')
    const { code } = await exitOf(program, `replica ${id}`, 20_000)
    if (code !== 0) throw new Error(`replica ${id} ended with ${code}`)
  }

  async serve(): Promise<readonly Shown[]> {
    return this.#settled('all serve', (status) => status.serving.length === 3)
  }

  /** The format that each replica says the set writes. */
  async active(): Promise<readonly number[]> {
    return (await this.serve()).map(({ formats }) => formats?.active ?? 1)
  }

  async raised(): Promise<readonly Shown[]> {
    return this.#settled('the format has risen', ({ formats }) => formats?.active === 2)
  }

  async converged(): Promise<void> {
    const hash = ({ storeHash }: Shown): string => `${storeHash.index} ${storeHash.hash}`
    await settled(
      'equal hashes at equal index',
      10_000,
      () => this.#statuses(),
      (all) => new Set(all.map((one) => (one === null ? 'none' : hash(one)))).size === 1,
    )
  }

  async destroy(): Promise<void> {
    for (const program of this.#replicas.values()) program.signal('SIGTERM')
    for (const [id, program] of this.#replicas) {
      await exitOf(program, `replica ${id}`, 20_000).catch(() => program.signal('SIGKILL'))
    }
  }

  story(): string {
    return [...this.#replicas].map(([id, program]) => `${id}: ${program.stderr().slice(-2_000)}`).join('\n')
  }

  async #settled(what: string, accept: (status: Shown) => boolean): Promise<readonly Shown[]> {
    const all = await settled(
      what,
      20_000,
      () => this.#statuses(),
      (statuses) => statuses.every((one) => one !== null && accept(one)),
    )
    return all.filter((one) => one !== null)
  }

  /** Null where nobody answers. */
  #statuses(): Promise<readonly (Shown | null)[]> {
    const ask = async (admin: string): Promise<Shown | null> => {
      const response = await fetch(`http://${admin}/status`, { signal: AbortSignal.timeout(2_000) })
      return (await response.json()) as Shown
    }
    return Promise.all(this.#admin.map((admin) => ask(admin).catch(() => null)))
  }
}

test.skipIf(missing !== null)(
  'a rolling upgrade, a roll back before its end, and no way back after it: no call is lost',
  async () => {
    await inScene(214, async (scene) => {
      const set = new Machines(scene)
      try {
        for (const id of IDS) set.start(id, 'older')
        await set.serve()
        await set.install(1, 'newer')
        expect(await set.active()).toEqual([1, 1, 1])
        const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 25, calls: CALLS, holdMs: 3_000 })
        await load.caller.reaches('100 calls have begun', 15_000, ({ created }) => created >= 100)
        await set.install(1, 'older')
        for (const id of IDS) {
          expect(await set.active()).toEqual([1, 1, 1])
          await set.install(id, 'newer')
        }
        await set.raised()
        const { created } = load.caller.stats()
        console.log(`the format rose after ${created} of ${CALLS} calls had begun`)
        expect(created).toBeLessThan(CALLS)

        await set.end(3)
        const late = set.start(3, 'older')
        expect((await exitOf(late, 'the older release', 20_000)).code).not.toBe(0)
        expect(late.stdout() + late.stderr()).toMatch(
          OLDER === undefined
            ? /its log has records of format 2, and this replica reads format 1, because formats\.most keeps it there/
            : /format( version)? 2/,
        )
        set.start(3, 'newer')
        await set.serve()
        await expectAllCalls(load, CALLS, { deadlineMs: 60_000, retransmissions: 'allowed' })
        await set.converged()
      } catch (error) {
        if (error instanceof Error) error.message += `\n${set.story()}`
        throw error
      } finally {
        await set.destroy()
      }
    })
  },
)

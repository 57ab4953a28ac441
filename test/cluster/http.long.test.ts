// Issue 7, done-when 4, with real processes: browsers read and change their sessions at random replicas, while replicas are killed with -9
// and stopped. No read shows less than its browser was shown before. Prints the count.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inScene } from './scene.ts'
import type { ReplicaSet } from './replica-set.ts'

const SLOT = 191
const BROWSERS = 20
const READS = 10_000
const FAULT_EVERY_MS = 1_000
const STOPPED_MS = 1_200

/** Each browser's session counts what that browser had it count. */
const module = `import { defineApplication } from 'holdfast/servlet'

export const counter = defineApplication({
  name: 'counter',
  doHttp(request, context) {
    const { applicationSession: session } = context.getSession()
    const counted = session.getAttribute('n') ?? 0
    if (request.method === 'GET') return Response.json({ n: counted })
    session.setExpires(0)
    session.setAttribute('n', counted + 1)
    return Response.json({ n: counted + 1 })
  },
})
`

interface Tally {
  reads: number
  updates: number
  again: number
  stale: string[]
}

class Browser {
  #cookie = ''
  #shown = 0
  readonly #tally: Tally

  constructor(tally: Tally) {
    this.#tally = tally
  }

  async ask(at: number, method: 'GET' | 'POST'): Promise<void> {
    const url = `http://127.66.${SLOT}.1:${8260 + at}/counter/`
    const before = this.#shown
    try {
      const headers = this.#cookie === '' ? {} : { cookie: this.#cookie }
      const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(8_000) })
      const said = response.status === 200 ? ((await response.json()) as { n: number }) : null
      if (said === null) return void this.#tally.again++
      const cookie = response.headers.get('set-cookie')?.split(';')[0]
      if (cookie !== undefined) this.#cookie = cookie.endsWith('=') ? '' : cookie
      if (said.n < before) this.#tally.stale.push(`${method} at ${at} shows ${said.n} after ${before}`)
      this.#shown = said.n
      if (method === 'GET') this.#tally.reads++
      else this.#tally.updates++
    } catch {
      // It died with the request, or is stopped.
      this.#tally.again++
    }
  }
}

async function strike(set: ReplicaSet, id: number, kills: boolean): Promise<void> {
  if (kills) return set.kill(id)
  set.freeze(id)
  await new Promise((resolve) => setTimeout(resolve, STOPPED_MS))
  set.unfreeze(id)
}

test(`${READS} reads by ${BROWSERS} browsers at random replicas, under faults: none is stale [JSR 27]`, async () => {
  await inScene(SLOT, async (scene) => {
    const folder = join(scene.folder, 'application')
    mkdirSync(folder)
    const path = join(folder, 'counter.ts')
    writeFileSync(path, module)
    const http = `127.66.${SLOT}.1:8260`
    const set = await scene.set({ restart: '1', readyMs: 120_000, extra: ['--app', path, '--http', http] })
    await set.statuses('all serve', 60_000, ({ serving }) => serving.length === 3)
    const tally: Tally = { reads: 0, updates: 0, again: 0, stale: [] }
    let struck = 0
    const faults = (async (): Promise<void> => {
      for (; tally.reads < READS; struck++) {
        // A quorum stays: what is asked without one is only told to ask again.
        await set.statuses('all serve', 120_000, ({ serving }) => serving.length === 3)
        await new Promise((resolve) => setTimeout(resolve, FAULT_EVERY_MS))
        if (tally.reads < READS) await strike(set, 1 + (struck % 3), struck % 2 === 0)
      }
    })()
    const browse = async (number: number): Promise<void> => {
      const browser = new Browser(tally)
      for (let nth = 0; tally.reads < READS; nth++) {
        const at = 1 + Math.floor(Math.random() * 3)
        await browser.ask(at, nth === 0 || (nth + number) % 4 === 0 ? 'POST' : 'GET')
      }
    }
    await Promise.all(Array.from({ length: BROWSERS }, (_, number) => browse(number)))
    await faults
    console.log(
      `${tally.reads} reads, ${tally.updates} updates, ${struck} faults; ${tally.again} were to be asked again; ${tally.stale.length} stale`,
    )
    expect(tally.stale).toEqual([])
  })
})

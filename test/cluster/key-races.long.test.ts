// Issue 7, done-when 3, with real processes: three replicas are asked at the same instant to create the same key, 1,000 times, while one
// replica after another is killed. Every answer is the same session, and every replica shows it afterwards. Some two minutes.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { must } from '../../src/base/assert.ts'
import { launchSet } from './replica-set.ts'
import { inScene } from './scene.ts'

const SLOT = 96
const RACES = 1_000
/** Races under way at a time. */
const ABREAST = 10

const module = `import { defineApplication } from 'holdfast/servlet'

export const races = defineApplication({
  name: 'races',
  async doHttp(request, { sessions }) {
    const { searchParams } = new URL(request.url)
    const found = await sessions.getApplicationSessionByKey(searchParams.get('key'), searchParams.has('create'))
    return new Response(found === null ? '' : found.id, { status: found === null ? 404 : 200 })
  },
})
`

/** Asked until it answers: a replica that is dead, or can't know, says so. */
async function ask(url: string): Promise<{ readonly id: string; readonly asked: number }> {
  for (let asked = 1; asked <= 200; asked++) {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => null)
    const id = (await response?.text().catch(() => '')) ?? ''
    if (response?.status === 200) return { id, asked }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} has no answer`)
}

test('[JSR 12] 1,000 races for a key at three replicas while they die: one session each', async () => {
  await inScene(SLOT, async (scene) => {
    const folder = join(scene.folder, 'application')
    mkdirSync(folder)
    const path = join(folder, 'races.ts')
    writeFileSync(path, module)
    const web = `127.66.${SLOT}.1:8260`
    const extra = ['--app', path, '--http', web]
    const set = scene.adopt(launchSet({ place: scene.place, restart: '1', extra }))
    await set.event('ready', 60_000, ({ event }) => event === 'ready')
    const at = (id: number, query: string): string => `http://127.66.${SLOT}.1:${8260 + id}/races/?${query}`
    let [kills, repeated] = [0, 0]
    const ids: string[] = []
    const race = async (key: string): Promise<void> => {
      const answers = await Promise.all(set.ids.map((id) => ask(at(id, `create&key=${key}`))))
      repeated += answers.filter(({ asked }) => asked > 1).length
      expect(new Set(answers.map(({ id }) => id)).size, key).toBe(1)
      const shown = await Promise.all(set.ids.map((id) => ask(at(id, `key=${key}`))))
      expect(new Set([...answers, ...shown].map(({ id }) => id)).size, key).toBe(1)
      ids.push(must(answers[0], 'an answer').id)
    }
    for (let from = 0; from < RACES; from += ABREAST) {
      // Every hundredth race a replica dies, in the middle of ten.
      if (from % 100 === 50) set.kill(must(set.ids[kills++ % set.ids.length], 'a replica'))
      await Promise.all(Array.from({ length: ABREAST }, (_, i) => race(`key-${from + i}`)))
    }
    expect([ids.length, new Set(ids).size, kills]).toEqual([RACES, RACES, 10])
    console.warn(`${RACES} races, ${kills} kills, ${repeated} answers of ${3 * RACES} had to be asked for again`)
  })
})

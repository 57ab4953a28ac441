// Applications in real processes: one refuses some calls and lets the others through, while the leader is killed, and its code is
// replaced; another one breaks in all the ways there are, and no other call notices (decisions/0033). About 20 s.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { order } from '../../src/host/admin-client.ts'
import { Messenger } from './messenger.ts'
import { until } from './poll.ts'
import { inScene, phones as scripted } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, applications with SIPp: ${missing}`)

const script = (name: string) => ({ file: fileURLToPath(new URL(`scenarios/${name}.xml`, import.meta.url)) })
const phones = {
  name: 'callers that may be refused',
  caller: script('caller-may-be-refused'),
  callee: script('callee'),
}

/** SIPp counts its calls at the beginning of their Call-IDs: each fifth is refused. */
const module = (reason: string): string => `import { defineApplication } from 'holdfast/servlet'

export const screening = defineApplication({
  name: 'screening',
  doInvite(request) {
    if (Number.parseInt(request.callId, 10) % 5 !== 0) return request.getProxy().proxyTo()
    const refusal = request.createResponse(503, '${reason}')
    refusal.setHeader('Retry-After', '7')
    refusal.send()
  },
})
`

interface Applications {
  readonly applications: readonly {
    readonly turns: number
    readonly failures: number
    readonly restarts: number
    readonly versions: readonly { readonly running: boolean }[]
  }[]
}

test.skipIf(missing !== null)(
  'call screening: kill -9 of the leader under load loses no call, and reload none either',
  async () => {
    await inScene(84, async (scene) => {
      const folder = join(scene.folder, 'application')
      mkdirSync(folder)
      const path = join(folder, 'screening.ts')
      writeFileSync(path, module('Not Now'))
      const set = await scene.set({ restart: 'never', extra: ['--app', path] })
      const calls = 60
      const load = await scene.load({ phones, transport: 'u1', rate: 30, calls, holdMs: 1_500 })
      await load.caller.reaches('20 calls begun', 20_000, ({ created }) => created >= 20)
      const killed = set.leader
      set.kill(killed)
      const alive = set.ids.filter((id) => id !== killed)
      writeFileSync(path, module('Not Today'))
      for (const id of alive) {
        const reloaded = await order(`http://${set.admin(id)}/applications/reload`, { name: 'screening' }, 12_000)
        expect(reloaded).toMatchObject({ value: { status: 200, body: { ok: true, name: 'screening' } } })
      }
      expect(await load.caller.finished(60_000)).toMatchObject({
        created: calls,
        successful: calls,
        failed: 0,
        unexpected: 0,
      })
      const answered = calls - calls / 5
      const callee = await load.callee.reaches('their calls end', 45_000, ({ successful }) => successful >= answered)
      expect(callee).toMatchObject({ created: answered, successful: answered, failed: 0, unexpected: 0 })
      for (const id of alive) {
        const [application] = ((await set.status(id)) as unknown as Applications).applications
        expect(application).toMatchObject({ failures: 0, restarts: 0 })
        expect(application?.turns).toBeGreaterThan(0)
      }
    })
  },
)

/** Only MESSAGEs are for it, and what it does is what they say. */
const BROKEN = `import { defineApplication } from 'holdfast/servlet'

const kept: unknown[] = []

export const broken = defineApplication({
  name: 'broken',
  doMessage(request) {
    if (request.content === 'throws') throw new Error('thrown on purpose')
    if (request.content === 'exits') process.exit(3)
    while (request.content === 'leaks') kept.push(new Array(10_000).fill(request.callId))
    while (request.content === 'loops');
    request.createResponse(200).send()
  },
})
`

/** What it does, and what the log says of that. */
const ways: readonly (readonly [what: string, said: RegExp])[] = [
  ['throws', /"code":"handler-failed".*thrown on purpose/],
  ['exits', /"code":"application-ended".*it ended itself \(process.exit, code 3\)/],
  ['leaks', /"code":"application-ended".*it used more than the 32 MB that it may/],
  ['loops', /"code":"application-ended".*its loop hangs/],
]

test.skipIf(missing !== null)(
  'an application that throws, exits, leaks or loops: its own request gets 500, the log says why, and no other call notices',
  async () => {
    await inScene(85, async (scene) => {
      const path = join(scene.folder, 'broken.ts')
      writeFileSync(path, BROKEN)
      const applications = [{ module: path, memoryMb: 32, timeLimitMs: 1_000 }]
      const set = await scene.set({ restart: 'never', data: join(scene.folder, 'data'), applications })
      await set.statuses('it runs', 10_000, ({ formats }) => formats.active > 1)
      const pids = set.ids.map((id) => set.pid(id))
      const messenger = new Messenger(hostOf(scene.place.admin), scene.place.sip)
      await messenger.open()
      const load = await scene.load({ phones: scripted.routed, transport: 'u1', rate: 20, calls: 2_000, holdMs: 1_000 })
      await load.caller.reaches('calls go on', 20_000, ({ successful }) => successful > 5)
      for (const [what, said] of ways) {
        const { successful } = load.caller.stats()
        expect([what, await messenger.send(`broken-${what}`, what)]).toEqual([what, 500])
        await until(`the log says ${said}`, 10_000, () => (said.test(set.stderr()) ? true : null))
        await set.statuses(`it runs after it ${what}`, 10_000, (status) =>
          (status as unknown as Applications).applications.every(({ versions }) =>
            versions.every(({ running }) => running),
          ),
        )
        expect([what, await messenger.send(`broken-fine-${what}`, 'works')]).toEqual([what, 200])
        await load.caller.reaches(`calls went on while it ${what}`, 20_000, (stats) => stats.successful > successful)
      }
      messenger.close()
      const { created, successful, failed, unexpected } = await load.caller.stop()
      expect({ successful, failed, unexpected }).toEqual({ successful: created, failed: 0, unexpected: 0 })
      expect(set.ids.map((id) => set.pid(id))).toEqual(pids)
      const told = await Promise.all(set.ids.map(async (id) => (await set.status(id)) as unknown as Applications))
      const sum = (of: 'failures' | 'restarts'): number =>
        told.flatMap((one) => one.applications).reduce((total, one) => total + one[of], 0)
      // A replica that was held up asks again: more than one each is no fault.
      expect(sum('failures')).toBeGreaterThanOrEqual(4)
      expect(sum('restarts')).toBeGreaterThanOrEqual(3)
    })
  },
)

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'))
}

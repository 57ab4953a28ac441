// An application in real processes: it refuses some calls and lets the others through, while the leader is killed, and its code is
// replaced (decisions/0033). About 10 s.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { order } from '../../src/host/admin-client.ts'
import { inScene } from './scene.ts'
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
  readonly applications: readonly { readonly turns: number; readonly failures: number; readonly restarts: number }[]
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

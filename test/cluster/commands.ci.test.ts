// The commands of the first hour, with calls running: a set starts from what `init` wrote.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { command, Machines } from './machines.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

describe.skipIf(missing !== null)('holdfast init', () => {
  test('writes what check finds right and a set of three starts from; its calls outlive a replica', async () => {
    await inScene(171, async (scene) => {
      const file = join(scene.folder, 'set.json')
      const { sip, admin, callee } = scene.place
      const places = ['--sip', sip, '--admin', admin, '--machines', '127.66.171.1,127.66.171.2,127.66.171.3']
      const made = await command(['init', '--file', file, ...places, '--next-hop', callee])
      expect(made).toMatchObject({ code: 0, stderr: '' })
      expect(made.stdout).toContain(`127.66.171.3  holdfast start --config ${file} --replica 3`)
      expect(await command(['init', '--file', file])).toMatchObject({ code: 1 })
      expect(await command(['check', file])).toMatchObject({ code: 0, stderr: '' })
      const machines = new Machines(file)
      try {
        for (const id of [1, 2, 3]) machines.start(id)
        await machines.serve([1, 2, 3])
        const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 50, holdMs: 2_000 })
        await machines.confirmed([1, 2, 3], 50)
        await machines.kill(2)
        await expectAllCalls(load, 50, { deadlineMs: 30_000, retransmissions: 'allowed' })
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${machines.story()}`, { cause: error })
      } finally {
        await machines.destroy()
      }
    })
  })
})

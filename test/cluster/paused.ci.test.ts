// Replicas that are stopped (SIGSTOP) and go on: their sockets, links and lives stay, so that nobody's death helps. One of three: the
// others take its calls over, and what it still wanted when it wakes is refused. Two of three: the third decides nothing (design.md 7).

import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { until } from './poll.ts'
import { checkSameBytes } from './same-bytes.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { Place, ReplicaSet } from './replica-set.ts'
import type { WireMessage } from './wire-check.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

function hosts({ caller, callee }: Place): string[] {
  return [caller, callee].map((address) => address.slice(0, address.lastIndexOf(':')))
}

/** What only a commit allows: the INVITE forward, 100, finals of INVITE, BYE and CANCEL, a CANCEL (design.md 4). */
function decisions(messages: readonly WireMessage[], phoneHosts: readonly string[]): string[] {
  const decides =
    /^(?:INVITE |CANCEL |SIP\/2\.0 100 |SIP\/2\.0 [2-6]\d\d [^]*?\r\ncseq\s*:\s*\d+\s+(?:INVITE|BYE|CANCEL)\b)/i
  return messages
    .filter(({ from }) => !phoneHosts.includes(from.slice(0, from.lastIndexOf(':'))))
    .map(({ text }) => text)
    .filter((text) => decides.test(text))
}

async function rejected(set: ReplicaSet): Promise<string> {
  const counts = await Promise.all(
    set.ids.map(async (id) => {
      const [notOwner, version] = [await set.counter(id, 'commits_not_owner'), await set.counter(id, 'commits_version')]
      return `${id}: ${notOwner} not owner, ${version} version`
    }),
  )
  return counts.join('; ')
}

describe.skipIf(missing !== null)('a replica is stopped for 5 s while it owns calls', () => {
  test.each([
    ['the leader', 90],
    ['a follower', 91],
  ])('%s: no call lost, nothing sent twice with different bytes', async (which, slot) => {
    await inScene(slot, async (scene) => {
      const calls = 500
      const set = await scene.set()
      await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      const capture = await scene.capture()
      const load = await scene.load({
        phones: phones.answeredLate,
        transport: 'un',
        rate: 40,
        calls,
        holdMs: 2_000,
        calleeHoldMs: 1_000,
      })
      await set.statuses('calls ring and calls are up', 15_000, ({ calls: { early, confirmed } }) => {
        return early > 20 && confirmed > 60
      })
      const stopped = which === 'the leader' ? set.leader : (set.ids.find((id) => id !== set.leader) as number)
      const owned = (await set.owned(stopped)).get(stopped)
      expect(owned).toBeGreaterThan(0)
      set.freeze(stopped)
      // The schedule itself, under the 10 s after which `up` would kill it.
      await pause(5_000)
      set.unfreeze(stopped)
      await expectAllCalls(load, calls, { deadlineMs: 60_000, retransmissions: 'allowed' })
      await set.statuses('all serve, no call and no open intent is left', 15_000, (status) => {
        const { early, confirmed } = status.calls
        return status.serving.length === 3 && early === 0 && confirmed === 0 && status.intents.open === 0
      })
      await set.converged(5_000)
      expect(set.events.filter(({ event }) => event === 'exit')).toEqual([])
      const { different, sent, again } = checkSameBytes(await capture.stop(), hosts(scene.place))
      expect(different).toEqual([])
      const { successful, retransmissions } = load.caller.stats()
      console.log(
        `stopped ${which} (${stopped}, owned ${owned}): ${successful} of ${calls}, ${retransmissions} retransmissions; ` +
          `the set sent ${sent} messages, ${again} of them again, ${different.length} with different bytes; ` +
          `commits refused at ${await rejected(set)}`,
      )
    })
  })
})

describe.skipIf(missing !== null)('two of three are stopped, then go on', () => {
  test.each([
    ['the leader', 92],
    ['a follower', 93],
  ])('%s is left: it decides nothing, and 2 s after they go on all is well', async (which, slot) => {
    await inScene(slot, async (scene) => {
      const calls = 400
      const set = await scene.set()
      await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 30, calls, holdMs: 2_000 })
      await set.statuses('calls are up', 15_000, ({ calls: { confirmed } }) => confirmed > 50)
      const left = which === 'the leader' ? set.leader : (set.ids.find((id) => id !== set.leader) as number)
      const others = set.ids.filter((id) => id !== left)
      const stoppedAt = performance.now()
      for (const id of others) set.freeze(id)
      const capture = await scene.capture()
      await until('the third is detached', 1_500, async () => ((await set.status(left)).detached ? true : null))
      const detachedAfter = Math.round(performance.now() - stoppedAt)
      const begun = load.caller.stats().created
      // Calls go on coming meanwhile: 60 more, and BYEs of those that were up.
      await load.caller.reaches('60 more calls begun', 15_000, ({ created }) => created >= begun + 60)
      const meanwhile = await capture.stop()
      const wentOn = performance.now()
      for (const id of others) set.unfreeze(id)
      await until('all three can serve calls', 2_000, async () => {
        const healthy = await Promise.all(set.ids.map((id) => set.healthy(id).catch(() => false)))
        return healthy.every(Boolean) ? true : null
      })
      const wellAfter = Math.round(performance.now() - wentOn)
      expect(decisions(meanwhile, hosts(scene.place))).toEqual([])
      await expectAllCalls(load, calls, { deadlineMs: 60_000, retransmissions: 'allowed' })
      await set.statuses('all serve, no call and no open intent is left', 15_000, (status) => {
        const { early, confirmed } = status.calls
        return status.serving.length === 3 && early === 0 && confirmed === 0 && status.intents.open === 0
      })
      await set.converged(5_000)
      expect(set.events.filter(({ event }) => event === 'exit')).toEqual([])
      const { successful, retransmissions } = load.caller.stats()
      console.log(
        `left alone: ${which} (${left}), detached after ${detachedAfter} ms, of ${meanwhile.length} messages meanwhile none was ` +
          `a decision of the set, all well ${wellAfter} ms after the others went on: ${successful} of ${calls}, ` +
          `${retransmissions} retransmissions`,
      )
    })
  })
})

// JsSIP in Chromium over secure WebSocket calls SIPp over UDP. SIPp's answer has what WebRTC asks of one (a fingerprint, ICE
// credentials), and no candidate, so that the browser's session stands and waits: there is no media, and JsSIP never gives up for
// the lack of it. SIPp speaks by a script: it answers `answers` at once and `rings` late, asks back when it is asked, and
// hangs up when it is told to.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { startCallee } from '../cluster/sipp.ts'
import type { Sipp } from '../cluster/sipp.ts'
import { until } from '../cluster/poll.ts'
import { connectionsAt, inArena, WSS_PORT } from './arena.ts'
import type { Arena } from './arena.ts'
import { BrowserPage, chromiumPath } from './browser-page.ts'
import { playCalls, RINGING } from './play.ts'
import type { Call, Phones } from './play.ts'
import { missingPrograms, versionOf } from './software.ts'
import type { Outcome, Software } from './software.ts'

const PHONES = 4
const phones = Array.from({ length: PHONES }, (_, i) => `phone-${i}`)
/** How long SIPp rings: until after the kill. */
const RING_MS = 15_000
/** Where SIPp writes what it receives and sends. */
const MESSAGES = 'messages.log'

export function browserSoftware(slot: number): Software {
  return {
    ...{ name: 'jssip', role: 'caller in Chromium, SIPp called', transport: 'wss', slot },
    missing: () =>
      missingPrograms(['sipp'], 'sip-tester') ??
      (chromiumPath === undefined ? 'chromium not found: on Debian, apt-get install chromium' : null),
    version: () => {
      const { version } = createRequire(import.meta.url)('jssip/package.json') as { readonly version: string }
      return `${version}, Chromium ${versionOf(chromiumPath ?? 'chromium', ['--version', '--no-sandbox'])}`
    },
    run: (slot) => inArena(slot, `127.66.${slot}.200:5070;transport=udp`, play),
  }
}

async function play(arena: Arena): Promise<Outcome> {
  const callee = await startCallee({
    local: arena.place.callee,
    folder: join(arena.folder, 'callee'),
    transport: 'u1',
    scenario: { file: join(import.meta.dirname, 'webrtc-callee.xml') },
    holdMs: RING_MS,
    more: ['-trace_msg', '-message_file', MESSAGES],
  })
  arena.atEnd(() => callee.destroy())
  const page = await BrowserPage.open(arena)
  for (const phone of phones) {
    await page.say('connect', phone, `wss://${arena.host(10)}:${WSS_PORT}/`, `sip:${phone}@example.com`)
    await page.connected(phone)
  }
  try {
    const outcome = await playCalls(arena, browserPhones(arena, page), { answered: PHONES, ringing: PHONES })
    return withCallee(outcome, callee)
  } catch (error) {
    const story = `${JSON.stringify(page.told(() => true))}\n${JSON.stringify(callee.stats())}\n${callee.errors()}`
    throw new Error(`${(error as Error).message}\n${story.slice(0, 6_000)}`, { cause: error })
  }
}

/** What SIPp found wrong is lost as well: it checks each answer to what it asks. */
function withCallee(outcome: Outcome, callee: Sipp): Outcome {
  const { failed, unexpected } = callee.stats()
  const calls = outcome.survived + outcome.lost.length
  if (callee.stats().created === 0 || failed + unexpected <= calls - outcome.survived + outcome.cut.ringing)
    return outcome
  const fault = `SIPp: ${failed} failed, ${unexpected} unexpected messages\n${callee.errors().slice(0, 3_000)}`
  return { ...outcome, lost: [...outcome.lost, fault] }
}

function browserPhones(arena: Arena, page: BrowserPage): Phones {
  let made = 0
  return {
    async ring(name) {
      const phone = `phone-${made++ % PHONES}`
      await settled(arena, page)
      const goneBefore = gone(page, phone)
      const rings = name.startsWith(RINGING)
      const callId = String(await page.say('call', phone, `sip:${rings ? 'rings' : 'answers'}@${arena.place.sip}`))
      await page.rings(callId)
      return browserCall(arena, page, { name, phone, callId, goneBefore })
    },
  }
}

/** Until all phones have a connection, and none of them is one that ended and that its phone has not noticed yet: what JsSIP says on such a
 * one ends its call. */
async function settled(arena: Arena, page: BrowserPage): Promise<void> {
  const isSettled = (): boolean => connectionsAt(`${arena.host(10)}:${WSS_PORT}`).length === PHONES
  await until(
    'all browsers are connected',
    30_000,
    () => (isSettled() && phones.every((phone) => page.isConnected(phone))) || null,
  )
}

function gone(page: BrowserPage, phone: string): number {
  return page.told((told) => told.kind === 'disconnected' && told.phone === phone).length
}

interface Parts {
  readonly name: string
  readonly phone: string
  readonly callId: string
  /** How often its socket was gone when it began. */
  readonly goneBefore: number
}

function browserCall(arena: Arena, page: BrowserPage, { name, phone, callId, goneBefore }: Parts): Call {
  let asked = 0
  let heard = 0
  const inform = (text: string): Promise<number> =>
    page.answerTo(callId, 'INFO', () => page.say('inform', callId, text))
  return {
    name,
    answer: () => page.of(callId, 'up'),
    // JsSIP makes its connection again by itself; what it says next in a dialog binds that again.
    async ask(side) {
      await settled(arena, page)
      if (side === 'callee') {
        const status = await inform('ask back')
        await page.of(callId, 'asked', heard++)
        return status
      }
      return asked++ % 2 === 0
        ? page.answerTo(callId, 'INVITE', () => page.say('renegotiate', callId))
        : inform('nothing')
    },
    async hangUp(side) {
      await settled(arena, page)
      if (side === 'caller') return page.answerTo(callId, 'BYE', () => page.say('hangUp', callId))
      const status = await inform('hang up')
      await page.of(callId, 'over')
      return status
    },
    isCut: ({ held }) => held > 0 && gone(page, phone) > goneBefore,
    story: () =>
      [`${phone}, ${callId}, the browser:`, ...page.story(callId), 'SIPp:', ...calleeStory(arena, callId)].join('\n'),
  }
}

/** What SIPp received and sent of a call: its time, its first line, its CSeq. */
function calleeStory(arena: Arena, callId: string): readonly string[] {
  const log = readFileSync(join(arena.folder, 'callee', MESSAGES), 'latin1')
  return log.split(/^-{20,} /m).flatMap((entry) => {
    if (!entry.includes(callId)) return []
    const [time = '', what = '', , first = ''] = entry.split(/\r?\n/)
    const arrow = what.includes('received') ? '->' : '<-'
    return [`${time.split(' ')[1]} ${arrow} ${first} ${/^CSeq: .*/im.exec(entry)?.[0].trim() ?? ''}`]
  })
}

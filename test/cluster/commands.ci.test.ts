// Commands with calls running: a set starts from what `init` wrote, `trace` tells what calls did,
// `demo` loses none, and a rolling restart takes a new config file over.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { must } from '../../src/base/assert.ts'
import { parseAddress } from '../../src/host/address.ts'
import type { Address } from '../../src/host/address.ts'
import { DemoCallee, DemoCaller } from '../../src/host/demo-phones.ts'
import { makeAuthority } from '../../src/host/testing/certificates.ts'
import { expectAllCalls } from './expectations.ts'
import { command, Machines } from './machines.ts'
import { inScene, phones } from './scene.ts'
import { until } from './poll.ts'
import { root } from './replica-set.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

describe.skipIf(missing !== null)('holdfast init', () => {
  test('asks at a terminal, again what was wrong; check finds it right, a set of three with TLS starts from it, and its calls outlive a reload and a replica', async () => {
    await inScene(171, async (scene) => {
      const file = join(scene.folder, 'set.json')
      const [certificate, key] = [join(scene.folder, 'own.pem'), join(scene.folder, 'own.key')]
      const { sip, admin, callee } = scene.place
      const host = sip.slice(0, sip.lastIndexOf(':'))
      const authority = makeAuthority()
      const own = authority.issue({ names: [host] })
      writeFileSync(certificate, own.cert)
      writeFileSync(key, own.key)
      const made = await atTerminal(`init --file ${file}`, [
        ['Addresses of the machines', '127.66.171.1,127.66.171.2,three'],
        ['"three" is not an IP address', ''],
        ['Addresses of the machines', '127.66.171.1,127.66.171.2,127.66.171.3'],
        ['SIP address', sip],
        ['Where new calls go', `${callee};transport=tcpudp`],
        ['nextHop: ', ''],
        ['Where new calls go', callee],
        ['Whose requests', '127.66.171.0/24'],
        ['Certificate', certificate],
        ['Its key', key],
      ])
      expect(made).toContain(`127.66.171.3  holdfast start --config ${file} --replica 3`)
      const again = { code: 1, stderr: expect.stringContaining('is there already') as string }
      expect(await command(['init', '--file', file])).toMatchObject(again)
      expect(await command(['check', file])).toMatchObject({ code: 0, stderr: '' })
      // The scene's places are not what the questions are about.
      const asked = JSON.parse(readFileSync(file, 'utf8')) as { replicas: { id: number; admin: string }[] }
      const port = Number(admin.split(':')[1])
      const replicas = asked.replicas.map((one) => ({ ...one, admin: `${host}:${port + one.id}` }))
      writeFileSync(file, JSON.stringify({ ...asked, admin, replicas }))
      const machines = new Machines(file)
      try {
        for (const id of [1, 2, 3]) machines.start(id)
        await machines.serve([1, 2, 3])
        const secure = connect({ host, port: 5061, ca: authority.cert })
        await once(secure, 'secureConnect')
        secure.destroy()
        const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 50, holdMs: 4_000 })
        await machines.confirmed([1, 2, 3], 50)
        const config = JSON.parse(readFileSync(file, 'utf8')) as object
        writeFileSync(file, JSON.stringify({ ...config, maxCall: 3_600 }))
        const reload = (id: number) => command(['reload', '--config', '--admin', machines.admin(id)])
        for (const reloaded of await Promise.all([1, 2, 3].map(reload)))
          expect(reloaded).toMatchObject({ code: 0, stdout: 'changed: maxCall\n', stderr: '' })
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

/** `holdfast LINE` at a pseudo-terminal: each answer is typed when what stands before it is shown; an empty one is only waited for. */
async function atTerminal(line: string, answers: readonly (readonly [shown: string, typed: string])[]) {
  const program = spawn('script', ['-qec', `${process.execPath} src/main.ts ${line}`, '/dev/null'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let [shown, from] = ['', 0]
  program.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
  const ended = once(program, 'close')
  try {
    for (const [what, typed] of answers) {
      await until(`${what}, of: ${shown}`, 20_000, () => (shown.includes(what, from) ? true : null))
      from = shown.indexOf(what, from) + what.length
      if (typed !== '') program.stdin.write(`${typed}\r`)
    }
    expect((await ended)[0], shown).toBe(0)
    return shown
  } finally {
    program.kill('SIGKILL')
  }
}

interface Told {
  readonly first: number
  readonly steps: readonly {
    readonly owner: string | null
    readonly events: readonly { readonly event: string }[]
    readonly sent: readonly { readonly label: string }[]
  }[]
}

const labels = ({ steps }: Told): readonly string[] => steps.flatMap(({ sent }) => sent.map(({ label }) => label))
const events = ({ steps }: Told): readonly string[] => steps.flatMap((one) => one.events.map(({ event }) => event))

describe.skipIf(missing !== null)('holdfast trace', () => {
  test('tells of calls that ended, from a set that runs and goes on with calls, and from a disk, behind snapshots too', async () => {
    await inScene(172, async (scene) => {
      const data = join(scene.folder, 'data')
      const set = await scene.set({ data, compaction: { every: 100_000, kept: 100 } })
      const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 50, calls: 100, holdMs: 300 })
      await load.caller.reaches('some are over', 15_000, ({ successful }) => successful >= 20)
      const { admin } = scene.place
      const records = await command(['cdr', '--json', '--admin', admin])
      const ids = records.stdout.split('\n').flatMap((line) => /"callId":"([^"]+)"/.exec(line)?.[1] ?? [])
      const callId = ids[0] ?? ''
      const told = await command(['trace', callId, '--admin', admin, '--json'])
      expect(told).toMatchObject({ code: 0, stderr: '' })
      const trace = JSON.parse(told.stdout) as Told
      expect(events(trace).slice(0, 1)).toEqual(['call-started'])
      expect(events(trace).slice(-1)).toEqual(['call-ended'])
      expect(labels(trace)).toContain('INVITE')
      await expectAllCalls(load, 100, { deadlineMs: 30_000, retransmissions: 'allowed' })
      const compacted = (await set.metrics(set.leader)).match(/^holdfast_snapshots_finished_total (\d+)/m)
      expect(Number(compacted?.[1] ?? 0)).toBeGreaterThan(0)
      await set.stop()

      // Its folder is all that is left of it.
      const page = join(scene.folder, 'call.html')
      const again = await command(['trace', callId, '--data', data, '--json', '--html', page])
      expect(again).toMatchObject({ code: 0, stderr: '' })
      const later = JSON.parse(again.stdout) as Told
      expect(later.first).toBe(1)
      expect(later.steps.slice(0, trace.steps.length)).toEqual(
        trace.steps.map((step) => ({ ...step, isCommitted: true })),
      )
      expect(readFileSync(page, 'utf8')).toContain('INVITE sip:')
      const nobody = await command(['trace', 'nobody', '--data', data])
      expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining('has no call nobody') as string })
    })
  })
})

test('holdfast demo kills the leader while calls run, and tells that none was lost', async () => {
  const done = await command(['demo', '--kills', '1', '--hold', '2', '--rate', '20', '--net', '127.66.173'])
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).toContain('the leader, dies with')
  const [, placed, ended, survived, lost] =
    /placed (\d+), ended as they should (\d+), of these survived a death (\d+), lost (\d+)/.exec(done.stdout) ?? []
  expect([ended, lost]).toEqual([placed, '0'])
  expect(Number(survived)).toBeGreaterThan(10)
})

function address(text: string): Address {
  const read = parseAddress(text)
  return must(read.ok ? read.value : undefined, 'an address')
}

test('a reload and a rolling restart read the config file anew: calls that are up go on, new ones go by the new file', async () => {
  await inScene(174, async (scene) => {
    const data = join(scene.folder, 'data')
    await scene.set({ data, compaction: { every: 1_000_000, kept: 100 } })
    const [sip, own, far] = [scene.place.sip, scene.place.caller, scene.place.callee].map(address)
    const set = must(sip, 'the set')
    const callee = new DemoCallee(must(far, 'the callee'), set)
    const caller = new DemoCaller(must(own, 'the caller'), set, set, 8_000)
    try {
      await callee.open()
      await caller.open()
      const before = Array.from({ length: 20 }, () => caller.call())
      await until('all are up', 5_000, () => (before.every(({ state }) => state === 'up') ? true : null))
      const file = `${data}.json`
      const config = JSON.parse(readFileSync(file, 'utf8')) as object
      writeFileSync(file, JSON.stringify({ ...config, nextHop: 5 }))
      const refused = await command(['restart', '--rolling', '--admin', scene.place.admin])
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was restarted') as string })
      writeFileSync(file, JSON.stringify({ ...config, allow: ['192.0.2.0/24'] }))
      const reloaded = await command(['reload', '--config', '--admin', scene.place.admin])
      expect(reloaded).toMatchObject({ code: 0, stdout: 'changed: allow\n', stderr: '' })
      const replica = scene.place.admin.replace(/\d+$/, (port) => String(Number(port) + 1))
      const asked = await command(['reload', '--config', '--admin', replica])
      expect(asked).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('ask at the admin address of up') as string,
      })
      const late = caller.call()
      await until('the late one is answered', 10_000, () => (late.state === 'calling' ? null : true))
      expect(late).toMatchObject({ state: 'lost', reason: 'INVITE got 403' })
      writeFileSync(file, JSON.stringify({ ...config, events: { keep: 1_000 } }))
      const more = await command(['reload', '--config', '--admin', scene.place.admin])
      expect(more).toMatchObject({ code: 1, stderr: expect.stringContaining('"events" can\'t be reloaded') as string })
      const restarted = await command(['restart', '--rolling', '--admin', scene.place.admin])
      expect(restarted).toMatchObject({ code: 0, stderr: '' })
      const last = caller.call()
      await until('the last one is answered', 10_000, () => (last.state === 'calling' ? null : true))
      expect(last.state).toBe('up')
      await until('all have ended', 40_000, () =>
        before.every(({ state }) => state === 'ended' || state === 'lost') ? true : null,
      )
      expect(before.filter(({ state }) => state === 'lost')).toEqual([])
    } finally {
      caller.close()
      callee.close()
    }
  })
})

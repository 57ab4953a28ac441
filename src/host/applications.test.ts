// Applications that break: real worker processes, each beside a sound one that is served meanwhile (issue 7, done-when 6).

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { AppAnswer } from '../app/contract.ts'
import { applicationTrouble } from './application-check.ts'
import { ApplicationStage, moduleText } from './testing/application-stage.ts'
import { index } from '../base/brand.ts'
import { view } from '../servlet/testing/turn.ts'
import type { SessionQuestion } from './session-questions.ts'

const sound = moduleText('sound', 'doInvite(request: SipServletRequest) { request.createResponse(486).send() }')
const busyHere = { kind: 'done', ops: [{ kind: 'respond', request: 'r1', response: { status: 486 } }] }

const stages: ApplicationStage[] = []

function stage(...given: ConstructorParameters<typeof ApplicationStage>): ApplicationStage {
  const made = new ApplicationStage(...given)
  stages.push(made)
  return made
}

afterEach(() => {
  for (const made of stages.splice(0)) made.close()
})

function reasonOf(answer: AppAnswer): string {
  return answer.kind === 'failed' ? answer.reason : 'it did not fail'
}

const answers = 'doInfo(request: SipServletRequest) { request.createResponse(200).send() }'

describe('beside a sound application, one that', () => {
  let made: ApplicationStage
  beforeAll(async () => {
    const broken = {
      loops: `doInvite() { for (;;); }, ${answers}`,
      waits: `async doInvite() { await new Promise(() => {}) }, ${answers}`,
      faults: `doInvite() { throw new RangeError('no credit') }, async doInfo() { await null; throw new Error('later') },
        doBye() { void Promise.reject(new Error('unheard')) }, doAck() { for (let i = 0; i < 500; i++) console.log('line', i) },
        doCancel() { setImmediate(() => { throw new Error('nobody here') }) }`,
      exits: 'doInvite() { process.exit(3) }',
      leaks: 'doInvite() { const all: unknown[] = []; for (;;) all.push(new Array(1000).fill(all.length)) }',
      hoards:
        'doInvite() { Reflect.set(globalThis, "kept", Array.from({ length: 4 }, () => new Uint8Array(8_000_000).fill(1))) }',
    }
    const modules = Object.entries(broken).map(
      ([name, handlers]) => [`${name}.ts`, moduleText(name, handlers)] as const,
    )
    made = new ApplicationStage({ 'sound.ts': sound, ...Object.fromEntries(modules) }, [
      { module: 'loops.ts', timeLimitMs: 50 },
      { module: 'waits.ts', timeLimitMs: 50 },
      { module: 'faults.ts' },
      { module: 'exits.ts' },
      { module: 'leaks.ts', memoryMb: 16 },
      { module: 'hoards.ts', memoryMb: 16 },
      { module: 'sound.ts' },
    ])
    await made.applications.start()
  })
  afterAll(() => made.close())

  const statusOf = (name: string): unknown => made.applications.status().find((one) => one.name === name)

  test('loops is ended, its calls fail, and it is started again', async () => {
    const looping = made.ask('loops')
    expect(await made.ask('sound')).toMatchObject(busyHere)
    expect(reasonOf(await looping)).toBe('it took more than 50 ms')
    const behind = made.ask('loops')
    expect(await made.ask('sound')).toMatchObject(busyHere)
    expect(reasonOf(await behind)).toMatch(/50 ms|its loop hangs/)
    expect(await made.logged('application-ended', /loops/)).toContain('its loop hangs')
    await made.logged('application-running', /loops/, 2)
    expect(await made.ask('loops', { handler: 'doInfo' })).toMatchObject({ kind: 'done' })
    expect(statusOf('loops')).toMatchObject({
      turns: 1,
      failures: 2,
      restarts: 1,
      versions: [{ running: true, restarts: 1 }],
    })
  })

  test('loops spoils nothing of what it did before, asked in one go', async () => {
    const failures = (): unknown => Reflect.get(statusOf('loops') as object, 'failures')
    const before = failures()
    const [first, second, looping] = [
      made.ask('loops', { handler: 'doInfo' }),
      made.ask('loops', { handler: 'doInfo' }),
      made.ask('loops'),
    ]
    expect([await first, await second]).toMatchObject([{ kind: 'done' }, { kind: 'done' }])
    expect(reasonOf(await looping)).toBe('it took more than 50 ms')
    expect(failures()).toBe(Number(before) + 1)
    await made.logged('application-running', /loops/, 3)
  })

  test('waits too long has failed, and goes on with its other calls', async () => {
    const waiting = made.ask('waits')
    expect(await made.ask('waits', { handler: 'doInfo' })).toMatchObject({ kind: 'done' })
    expect(reasonOf(await waiting)).toBe('it took more than 50 ms')
    expect(await made.ask('waits', { handler: 'doInfo' })).toMatchObject({ kind: 'done' })
    expect(statusOf('waits')).toMatchObject({ restarts: 0, turns: 2, failures: 1 })
  })

  test('throws has failed with its message, sync or async, and the log has the place', async () => {
    expect(reasonOf(await made.ask('faults'))).toBe('RangeError: no credit')
    expect(reasonOf(await made.ask('faults', { handler: 'doInfo' }))).toBe('Error: later')
    expect(await made.ask('sound')).toMatchObject(busyHere)
    expect(await made.logged('application-fault', /no credit/)).toContain('faults.ts')
  })

  test('prints has its lines in the log, and only so many of them', async () => {
    await made.ask('faults', { handler: 'doAck' })
    await made.logged('application-says', /line 0/)
    expect(made.lines.filter(({ msg }) => msg.startsWith('line ')).length).toBeLessThanOrEqual(200)
  })

  test('has a rejected promise is told so and goes on; after an error that nobody catches it is started again', async () => {
    expect(await made.ask('faults', { handler: 'doBye' })).toMatchObject({ kind: 'done' })
    await made.logged('application-fault', /rejected that nobody waits for: unheard/)
    expect(statusOf('faults')).toMatchObject({ restarts: 0 })
    expect(await made.ask('faults', { handler: 'doCancel' })).toMatchObject({ kind: 'done' })
    expect(await made.logged('application-ended', /faults/)).toContain('nobody here')
  })

  test('ends its process ends its worker alone', async () => {
    const ending = made.ask('exits')
    expect(await made.ask('sound')).toMatchObject(busyHere)
    expect(reasonOf(await ending)).toContain('process.exit, code 3')
    await made.logged('application-running', /exits/, 2)
    expect(statusOf('exits')).toMatchObject({ restarts: 1, versions: [{ running: true }] })
  })

  test('leaks is ended at its limit', async () => {
    const leaking = made.ask('leaks')
    expect(await made.ask('sound')).toMatchObject(busyHere)
    expect(reasonOf(await leaking)).toContain('more than the 16 MB that it may')
    expect(await made.ask('sound')).toMatchObject(busyHere)
    expect(statusOf('sound')).toMatchObject({ failures: 0, restarts: 0, lastFailure: null })
  })

  test('keeps more buffers than it may is ended too', async () => {
    expect(await made.ask('hoards')).toMatchObject({ kind: 'done' })
    expect(await made.logged('application-ended', /hoards/)).toMatch(/its buffers took \d+ MB, more than the 16 MB/)
  })
})

test('[JSR 25] an async handler is answered what it asks of other sessions, in the name of its own application alone', async () => {
  const asks = `async doInvite(request: SipServletRequest, context: HandlerContext) {
    const found = await context.sessions.getApplicationSessionByKey('bob', true)
    await found.update((session) => session.setAttribute('n', 1))
    request.createResponse(486).send()
  }, async doInfo(_: unknown, context: HandlerContext) { await context.sessions.getApplicationSessionById('x'.repeat(1_000)) },
  doMessage() { process.send?.({ kind: 'question', number: 1, question: { kind: 'order', order: { application: 'bank' } } }) }`
  const made = stage({ 'asks.ts': moduleText('asks', asks) }, [{ module: 'asks.ts' }])
  const asked: SessionQuestion[] = []
  made.answers = (question) => {
    asked.push(question)
    return { kind: 'done', view: { ...view(), id: 'other' }, index: index(1), created: true }
  }
  await made.applications.start()
  expect(await made.ask('asks')).toMatchObject({ kind: 'done', ops: [{ kind: 'respond' }] })
  expect(asked).toMatchObject([
    { kind: 'order', order: { application: 'asks', target: { kind: 'key', key: 'bob', create: true } } },
    { kind: 'order', order: { application: 'asks', target: { kind: 'id', id: 'other' } } },
  ])
  // What is no question isn't asked.
  expect(reasonOf(await made.ask('asks', { handler: 'doInfo' }))).toMatch(/a lookup.target.id/)
  await made.ask('asks', { handler: 'doMessage' })
  expect(asked).toHaveLength(2)
})

test('two applications of one name are refused before anything starts', async () => {
  const made = stage({ 'sound.ts': sound, 'again.ts': sound }, [{ module: 'sound.ts' }, { module: 'again.ts' }])
  expect(await applicationTrouble({ applications: made.configs })).toMatch(
    /sound.ts and .*again.ts both define an application "sound"/,
  )
  const [first] = made.configs
  expect(await applicationTrouble({ applications: first === undefined ? [] : [first] })).toBeNull()
})

test('a module that can not be used is told why, and its calls fail', async () => {
  const made = stage(
    {
      'empty.ts': 'export const x = 1',
      'misspelt.ts': moduleText('a', 'doInvit() {}'),
      'two.ts': `${moduleText('a', 'doInvite() {}')}export const other = defineApplication({ name: 'b' })`,
      'syntax.ts': 'export const = 1',
    },
    ['nothing.ts', 'empty.ts', 'misspelt.ts', 'two.ts', 'syntax.ts'].map((module) => ({ module })),
  )
  const infos = await made.applications.start()
  expect(infos.map(({ handlers }) => handlers)).toEqual(infos.map(() => ['doInvite']))
  expect(made.applications.status().map(({ lastFailure }) => lastFailure)).toEqual([
    expect.stringContaining('Cannot find module'),
    'it exports no application: export one, as in export const prepaid = defineApplication({ ... })',
    'application a: "doInvit" is no handler; did you mean doInvite?',
    'it exports several applications (a, b): say which one by "name" in the config file',
    expect.stringMatching(/xpected/),
  ])
  expect(await made.ask(infos[0]?.name ?? '')).toMatchObject({ kind: 'failed' })
})

test('an application that this replica does not run is a failure that says so', async () => {
  const made = stage({ 'sound.ts': sound }, [{ module: 'sound.ts' }])
  await made.applications.start()
  expect(reasonOf(await made.ask('other'))).toBe('this replica does not run an application other')
})

describe('a version', () => {
  const says = (number: number): string =>
    moduleText(
      'billing',
      `doInvite({ applicationSession }: SipServletRequest) { applicationSession.setAttribute('by', ${number}) }`,
    )
  const by = (value: number): unknown => ({ kind: 'done', ops: [{ kind: 'set-attribute', value }] })

  test('takes the place of another for new sessions; old ones stay with the code that began them, until the last has ended', async () => {
    const made = stage({ 'billing.ts': says(1) }, [{ module: 'billing.ts' }])
    const [first] = await made.applications.start()
    made.write('billing.ts', says(2))
    const reloaded = await made.applications.reload('billing')
    const [second, old] = made.infos.at(-1) ?? []
    expect(old).toEqual(first)
    expect(reloaded).toEqual({ ok: true, value: { name: 'billing', version: second?.version, was: first?.version } })
    expect(second?.version).not.toBe(first?.version)
    expect(await made.ask('billing', { version: first?.version ?? '' })).toMatchObject(by(1) as object)
    expect(await made.ask('billing', { version: second?.version ?? '' })).toMatchObject(by(2) as object)

    const count = { name: 'billing', version: first?.version ?? '', sessions: 1 }
    made.applications.counted([count])
    made.applications.counted([{ ...count, sessions: 0 }])
    expect(made.applications.old).toEqual([first])
    made.applications.counted([])
    expect(made.applications.old).toEqual([])
    expect(made.infos.at(-1)).toEqual([second])
    // One that a replica with the old code began, and that comes here after all.
    expect(await made.ask('billing', { version: first?.version ?? '' })).toMatchObject(by(2) as object)
    expect(await made.logged(`application-version-gone billing ${first?.version}`, /newest/)).toContain(
      'not loaded here',
    )
  })

  test('that dies is started again with its own code, whatever lies on the disk by then', async () => {
    const dies = (number: number): string =>
      `${says(number).replace('defineApplication({', 'defineApplication({ doInfo() { process.exit(1) },')}`
    const made = stage(
      {
        'billing.ts': dies(1).replace("from 'holdfast", "from './own.ts'; export * from 'holdfast"),
        'own.ts': "export { defineApplication } from 'holdfast/servlet'; export const x = 1",
      },
      [{ module: 'billing.ts' }],
    )
    await made.applications.start()
    made.write('billing.ts', 'this is not even TypeScript')
    made.write('own.ts', 'neither')
    await made.ask('billing', { handler: 'doInfo' })
    await made.logged('application-running', /billing/, 2)
    expect(await made.ask('billing')).toMatchObject(by(1) as object)
    const reloaded = await made.applications.reload('billing')
    expect(reloaded).toMatchObject({ ok: false, error: expect.stringContaining('billing goes on as it was') })
    expect(await made.ask('billing')).toMatchObject(by(1) as object)
  })

  test('is not changed by the same code, nor by other code that says it is the same', async () => {
    const versioned = (number: number): string =>
      says(number).replace("name: 'billing',", "name: 'billing', version: '7',")
    const made = stage({ 'billing.ts': versioned(1) }, [{ module: 'billing.ts' }])
    await made.applications.start()
    expect(await made.applications.reload('billing')).toEqual({
      ok: true,
      value: { name: 'billing', version: '7', was: '7' },
    })
    made.write('billing.ts', versioned(2))
    expect(await made.applications.reload('billing')).toMatchObject({
      error: expect.stringContaining('raise "version" from 7'),
    })
    expect(await made.applications.reload('biling')).toMatchObject({
      error: 'no application biling; did you mean billing?',
    })
    expect(made.infos.flat().map(({ version }) => version)).toEqual(['7'])
  })
})

test('of an example in a clone is known by its code', async () => {
  const versions = ['prepaid', 'screening'].map(async (name) => {
    const module = fileURLToPath(new URL(`../../docs/examples/applications/${name}.ts`, import.meta.url))
    const made = stage({}, [{ module }])
    const [info] = await made.applications.start()
    return info?.version
  })
  const [prepaid, screening] = await Promise.all(versions)
  expect(prepaid).toMatch(/^[0-9a-f]+$/)
  expect(screening).not.toBe(prepaid)
})

test('a handler that loops ends with its replica, however that dies', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-orphan-'))
  const module = join(folder, 'loops.ts')
  writeFileSync(module, moduleText('loops', 'doInvite() { console.log(`pid ${process.pid}`); for (;;); }'))
  // As a replica does: it starts the worker, asks it, and is killed.
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', orphanMaker(module)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
  const pid = Number(/^pid (\d+)$/.exec(line)?.[1])
  expect(() => process.kill(pid, 0)).not.toThrow()
  parent.kill('SIGKILL')
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 20_000, interval: 50 })
  rmSync(folder, { recursive: true })
})

/** Asks its worker, and prints what that says. */
function orphanMaker(module: string): string {
  const [worker, turn] = ['application-process.ts', '../servlet/testing/turn.ts'].map(
    (path) => new URL(path, import.meta.url).href,
  )
  return `
    import { ApplicationProcess } from '${worker}'
    import { call, message } from '${turn}'
    const config = { name: null, module: ${JSON.stringify(module)}, memoryMb: 64, timeLimitMs: 5_000 }
    const made = new ApplicationProcess(config, null, {
      loaded() { made.ask(call('doInvite', { message: message(), application: 'loops', id: 1 })) },
      said(line) { console.log(line) },
      answered() {}, faulty() {}, ended() {},
    })`
}

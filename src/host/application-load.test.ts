// How long an application may take to be loaded: real worker processes, and timers that are moved by hand.

import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { hostLimits } from './limits.ts'
import { ApplicationStage, moduleText } from './testing/application-stage.ts'

const sound = moduleText('sound', 'doInvite(request: SipServletRequest) { request.createResponse(486).send() }')
const stages: ApplicationStage[] = []

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))

afterEach(() => {
  vi.useRealTimers()
  for (const stage of stages.splice(0)) stage.close()
})

function starting(text: string): { readonly stage: ApplicationStage; readonly started: Promise<unknown> } {
  const stage = new ApplicationStage({ 'one.ts': text }, [{ module: 'one.ts' }])
  stages.push(stage)
  return { stage, started: stage.applications.start() }
}

function states(stage: ApplicationStage): unknown {
  return stage.applications.status().map(({ versions, lastFailure }) => [versions[0]?.running, lastFailure])
}

test('that its process is slow to start is not held against its module', async () => {
  const { stage, started } = starting(sound)
  vi.advanceTimersByTime(hostLimits.applicationBeginMs - 1)
  await started
  expect(states(stage)).toEqual([[true, null]])
})

test('a process that never begins is given up', async () => {
  const { stage, started } = starting(sound)
  vi.advanceTimersByTime(hostLimits.applicationBeginMs)
  await started
  expect(states(stage)).toEqual([[false, expect.stringContaining('its process did not begin within 60 s')]])
})

test('a module that does not end to load is given up after its own time, whatever it says', async () => {
  const { stage } = starting(`
    setInterval(() => process.send?.({ kind: 'begun' }), 5)
    console.log('loading')
    await new Promise(() => {})
    ${sound}`)
  await stage.logged('application-says', /loading/)
  let passed = 0
  // `begun` came before the line, on another channel: it is heard in one of the next rounds.
  for (
    ;
    stage.applications.status()[0]?.lastFailure === null && passed < hostLimits.applicationBeginMs;
    passed += 500
  ) {
    vi.advanceTimersByTime(500)
    await pause(20)
  }
  expect(states(stage)).toEqual([[false, 'it was not loaded within 10 s']])
  expect(passed).toBeGreaterThanOrEqual(hostLimits.applicationLoadMs)
})

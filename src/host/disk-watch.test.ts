import { pino } from 'pino'
import { expect, test } from 'vitest'
import { DiskWatch } from './disk-watch.ts'
import { hostLimits } from './limits.ts'

function scene() {
  const changes: string[] = []
  const lines: string[] = []
  const state = { total: 0, free: hostLimits.diskReserveBytes }
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const watch = new DiskWatch({
    folder: '/data',
    log,
    total: () => state.total,
    free: () => Promise.resolve(state.free),
    change: (reason, full) => void changes.push(`${reason} ${full ? 'full' : 'room'}`),
  })
  return { watch, changes, lines, state }
}

test('the log reaches its limit: new calls get 503, said once, with the reason', async () => {
  const { watch, changes, lines, state } = scene()
  await watch.look()
  expect(changes).toEqual([])
  state.total = hostLimits.logBytes
  await watch.look()
  await watch.look()
  expect(changes).toEqual(['limit full'])
  expect(lines.length).toBe(1)
  expect(lines[0]).toContain('the log has reached its limit of 1073741824 bytes: new calls get 503')
})

test('two causes of one reason are told once; it ends with the last of them', async () => {
  const { watch, changes, state } = scene()
  state.total = hostLimits.logBytes
  await watch.look()
  state.free = 0
  await watch.look()
  state.total = 0
  await watch.look()
  expect(changes).toEqual(['limit full'])
  state.free = hostLimits.diskReserveBytes
  await watch.look()
  expect(changes).toEqual(['limit full', 'limit room'])
})

test('a write that found no room is a reason of its own, whatever the limits say', async () => {
  const { watch, changes, lines, state } = scene()
  state.free = 0
  await watch.look()
  watch.write(true)
  watch.write(true)
  expect(changes).toEqual(['limit full', 'no-space full'])
  expect(lines[1]).toContain("the log's disk is full, nothing more is acknowledged")
  watch.write(false)
  expect(changes.slice(2)).toEqual(['no-space room'])
})

test('the reserve that lets calls end is not for new ones', async () => {
  const { watch, changes, lines, state } = scene()
  state.free = hostLimits.diskReserveBytes - 1
  await watch.look()
  state.free = hostLimits.diskReserveBytes
  await watch.look()
  expect(changes).toEqual(['limit full', 'limit room'])
  expect(lines[0]).toContain("less than 67108864 bytes are free on the log's disk: new calls get 503")
})

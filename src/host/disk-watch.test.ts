import { pino } from 'pino'
import { expect, test } from 'vitest'
import { DiskWatch } from './disk-watch.ts'
import { hostLimits } from './limits.ts'

function scene() {
  const changes: boolean[] = []
  const lines: string[] = []
  const state = { total: 0, free: hostLimits.diskReserveBytes }
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const watch = new DiskWatch({
    folder: '/data',
    log,
    total: () => state.total,
    free: () => Promise.resolve(state.free),
    change: (full) => void changes.push(full),
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
  expect(changes).toEqual([true])
  expect(lines.length).toBe(1)
  expect(lines[0]).toContain('the log has reached its limit of 1073741824 bytes: new calls get 503')
})

test('two reasons are one "full"; it ends with the last of them', async () => {
  const { watch, changes, state } = scene()
  watch.write(true)
  state.total = hostLimits.logBytes
  await watch.look()
  watch.write(false)
  expect(changes).toEqual([true])
  state.total = 0
  await watch.look()
  expect(changes).toEqual([true, false])
})

test('the reserve that lets calls end is not for new ones', async () => {
  const { watch, changes, lines, state } = scene()
  state.free = hostLimits.diskReserveBytes - 1
  await watch.look()
  state.free = hostLimits.diskReserveBytes
  await watch.look()
  expect(changes).toEqual([true, false])
  expect(lines[0]).toContain("less than 67108864 bytes are free on the log's disk: new calls get 503")
})

import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { printHolder, takeGuard } from './guard.ts'

const name = (what: string): string => `holdfast test ${process.pid} ${what}`

test('one holder at a time; the other hears who it is', async () => {
  const first = await takeGuard(name('one'), { set: 'aa', pid: 7 })
  expect(first.ok).toBe(true)
  const second = await takeGuard(name('one'), { set: 'bb', pid: 8 })
  expect(second).toEqual({ ok: false, error: { set: 'aa', pid: 7 } })
  expect(printHolder({ set: 'aa', pid: 7 })).toBe('Holdfast set aa, pid 7')
  if (first.ok) first.value.release()
  const third = await takeGuard(name('one'), { set: 'bb', pid: 8 })
  expect(third.ok).toBe(true)
  if (third.ok) third.value.release()
})

test('a holder that talks without end, or not as we do, is told as somebody who does not say', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end('x'.repeat(100_000))
  })
  await new Promise<void>((resolve) => server.listen({ path: `\0${name('odd')}` }, resolve))
  expect(await takeGuard(name('odd'), { set: 'aa', pid: 7 })).toEqual({ ok: false, error: null })
  server.close()
})

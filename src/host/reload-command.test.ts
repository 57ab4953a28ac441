import { afterEach, beforeEach, expect, test } from 'vitest'
import { reloadMain } from './reload-command.ts'
import { adminStage } from './testing/admin-stage.ts'

const { begin, end, written, play } = adminStage('127.40.84.1', reloadMain)
beforeEach(begin)
afterEach(end)

test.each([
  [{ version: '2', was: '1' }, "new calls are version 2's; those of 1 stay with it till they end\n"],
  [{ version: '2', was: '2' }, 'prepaid runs this code already\n'],
])('%j: it says whose calls are whose', async (body, text) => {
  const { orders, run } = await play({ '/status': [] }, [{ status: 200, body: { ok: true, name: 'prepaid', ...body } }])
  expect(await run('prepaid')).toBe(0)
  expect(orders).toEqual(['/applications/reload {"name":"prepaid"}'])
  expect(written.out).toBe(text)
})

test('code that can not be loaded is refused with the reason, and a name is needed', async () => {
  const error = 'replica 1: prepaid goes on as it was: /srv/prepaid.ts: application prepaid: "doInvit" is no handler'
  const { run } = await play({ '/status': [] }, [{ status: 409, body: { ok: false, error } }])
  expect(await run('prepaid')).toBe(1)
  expect(written.errors).toContain(error)
  expect(await run()).toBe(64)
  expect(written.errors).toContain('NAME is missing')
})

test.each([
  [['nextHop', 'bounds'], 'changed: nextHop, bounds\n'],
  [[], 'nothing in it has changed\n'],
])('--config: it says what changed: %j', async (changed, text) => {
  const { orders, run } = await play({ '/status': {} }, [{ status: 200, body: { ok: true, changed } }])
  expect(await run('--config')).toBe(0)
  expect(orders).toEqual(['/reload {}'])
  expect(written.out).toBe(text)
})

test('--config: what can not be reloaded is told with what would do it; a NAME beside it is a mistake', async () => {
  const error = 'nothing was changed: "tls" can\'t be reloaded; restart the replicas one after another for that'
  const { run } = await play({ '/status': {} }, [{ status: 409, body: { ok: false, error } }])
  expect(await run('--config')).toBe(1)
  expect(written.errors).toContain(error)
  expect(await run('prepaid', '--config')).toBe(64)
  expect(written.errors).toContain('give one of them')
})

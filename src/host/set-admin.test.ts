import { afterEach, expect, test } from 'vitest'
import { createServer, request } from 'node:http'
import { replicaId } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import { fetchJson, order } from './admin-client.ts'
import { Failovers } from './failovers.ts'
import { hostLimits } from './limits.ts'
import { Live } from './live.ts'
import type { SetConfig } from './config.ts'
import { SetAdmin } from './set-admin.ts'

const HOST = '127.40.5.1'
let lastPort = 8_060
const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean()
})

/** `up`'s admin over replicas of which only those in `runs` have a process, and none an admin address. */
async function scene(
  runs: readonly number[],
  replicas = 3,
  token: string | null = 'secret',
  trouble: string | null = null,
) {
  const port = ++lastPort
  const address = { host: HOST, port }
  const config: SetConfig = {
    set: 'a',
    secret: '',
    durability: 'wal',
    compaction: {},
    formats: {},
    sip: address,
    nextHop: null,
    admin: address,
    replicas: Array.from({ length: replicas }, (_, i) => ({
      id: replicaId(i + 1),
      admin: { host: HOST, port: 9 },
      peer: address,
      data: '',
    })),
    restart: null,
  }
  const drained: number[] = []
  const drain = (id: ReplicaId): boolean => runs.includes(id) && drained.push(id) > 0
  const ordered: unknown[] = []
  const members = {
    view: () => Promise.resolve(null),
    order: async (kind: string, fields: unknown) => {
      ordered.push([kind, fields])
      return { status: 202, body: { ok: true } }
    },
  }
  const killed: number[] = []
  const kill = (id: ReplicaId): boolean => runs.includes(id) && killed.push(id) > 0
  const live = new Live({
    ...{ name: 'up', set: 'a', sip: '', token: 'secret', isTold: true, failovers: new Failovers() },
    replicas: () => config.replicas,
    pids: () => new Map(runs.map((id) => [id, 10 + id])),
  })
  const reread = () => Promise.resolve(trouble === null ? ok(null) : err(trouble))
  const admin = new SetAdmin({ config, drain, kill, cycle: () => Promise.resolve() }, members, {
    ...{ live, token, reread },
    reload: () => (trouble === null ? ok(['allow']) : err(trouble)),
  })
  await admin.open()
  cleanups.push(() => admin.close())
  return { url: `http://${HOST}:${port}`, drained, ordered, killed, live }
}

test('a replica is drained by its number; one that does not run, or is none of the set, is told so', async () => {
  const { url, drained } = await scene([2])
  expect(await order(`${url}/drain`, { replica: 2 })).toMatchObject({ value: { status: 202 } })
  expect(await order(`${url}/drain`, { replica: 1 })).toMatchObject({
    value: { status: 409, body: { error: 'replica 1 does not run' } },
  })
  expect(await order(`${url}/drain`, { replica: '2' })).toMatchObject({
    value: { status: 404, body: { error: '"replica" should be one of 1, 2, 3' } },
  })
  expect(drained).toEqual([2])
})

test('an order that is no JSON object, or is too long, is refused', async () => {
  const { url } = await scene([1])
  const post = (body: string) => fetch(`${url}/drain`, { method: 'POST', body }).then(({ status }) => status)
  expect(await post('[2]')).toBe(400)
  expect(await post('{')).toBe(400)
  expect(await post(' '.repeat(hostLimits.orderBytes + 1))).toBe(400)
})

test('a rolling restart says how far it is; there is none of a set that would lose its quorum', async () => {
  const { url } = await scene([])
  expect(await fetchJson(`${url}/restart`)).toEqual({ ok: true, value: null })
  expect(await order(`${url}/restart`)).toMatchObject({ value: { status: 202, body: { running: true } } })
  const two = await scene([1, 2], 2)
  expect(await order(`${two.url}/restart`)).toMatchObject({
    value: { status: 409, body: { error: expect.stringContaining('no quorum') } },
  })
})

test('a config file that is not right restarts nothing', async () => {
  const { url } = await scene([], 3, null, 'nextHop: it is wrong')
  const error = 'nothing was restarted: nextHop: it is wrong'
  expect(await order(`${url}/restart`)).toMatchObject({ value: { status: 409, body: { error } } })
  expect(await fetchJson(`${url}/restart`)).toEqual({ ok: true, value: null })
})

test('a reload says what has changed, or why nothing did', async () => {
  const { url } = await scene([])
  expect(await order(`${url}/reload`)).toEqual({
    ok: true,
    value: { status: 200, body: { ok: true, changed: ['allow'] } },
  })
  const wrong = await scene([], 3, null, 'nothing was changed: it is wrong')
  const body = { ok: false, error: 'nothing was changed: it is wrong' }
  expect(await order(`${wrong.url}/reload`)).toEqual({ ok: true, value: { status: 409, body } })
})

test('who does not answer is told in words', async () => {
  expect(await fetchJson(`http://${HOST}:9/`)).toEqual({ ok: false, error: 'not running' })
  const server = createServer((_request, response) => response.end('no JSON'))
  cleanups.push(() => server.close())
  await new Promise<void>((resolve) => server.listen({ host: HOST, port: ++lastPort }, resolve))
  expect(await fetchJson(`http://${HOST}:${lastPort}/`)).toEqual({ ok: false, error: 'its answer is not JSON' })
})

test('orders that change the set go to its members; without them nobody knows who is in it', async () => {
  const { url, ordered } = await scene([])
  expect(await order(`${url}/members/add`, { place: 4 })).toEqual({
    ok: true,
    value: { status: 202, body: { ok: true } },
  })
  expect(ordered).toEqual([['add', { place: 4 }]])
  expect(await order(`${url}/members/join`, {})).toMatchObject({ value: { status: 404 } })
  expect(await fetchJson(`${url}/members`)).toEqual({ ok: false, error: 'HTTP 503' })
})

test('an application is reloaded at each replica that runs; without any there is nobody to do it', async () => {
  const { url } = await scene([])
  const asked = await order(`${url}/applications/reload`, { name: 'prepaid' })
  expect(asked).toMatchObject({
    value: { status: 503, body: { error: expect.stringContaining('no replica answers') } },
  })
})

/** An order as a browser sends it, with headers that `fetch` won't set. */
function press(url: string, headers: Readonly<Record<string, string>>, fields: unknown = { replica: 1 }) {
  return new Promise<number>((resolve, reject) => {
    const sent = request(`${url}/kill`, { method: 'POST', headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(fields))
  })
}

test('a replica is killed by the page of this address, which has the token, and by nobody else', async () => {
  const { url, killed } = await scene([1])
  const { host } = new URL(url)
  const own = { Origin: url, 'Holdfast-Token': 'secret' }
  expect(await press(url, { ...own, Origin: 'http://elsewhere.example' })).toBe(403)
  expect(await press(url, { 'Holdfast-Token': 'secret' })).toBe(403)
  expect(await press(url, { ...own, 'Holdfast-Token': 'guessed' })).toBe(403)
  expect(await press(url, { Origin: url })).toBe(403)
  // A name of somebody else's that leads here (DNS rebinding).
  expect(await press(url, { ...own, Host: 'evil.example:8060', Origin: 'http://evil.example:8060' })).toBe(403)
  expect(killed).toEqual([])
  expect(await press(url, { ...own, Host: host })).toBe(200)
  expect(killed).toEqual([1])
  expect(await press(url, own, { replica: 2 })).toBe(409)
  expect(await press(url, own, { replica: 9 })).toBe(404)
  expect((await fetch(`${url}/kill`)).status).toBe(405)
  const plain = await scene([1], 3, null)
  expect(await press(plain.url, { Origin: plain.url, 'Holdfast-Token': 'null' })).toBe(403)
})

test('the page and its files are served with a strict policy; nothing else of the disk is', async () => {
  const { url } = await scene([])
  const page = await fetch(url)
  expect(page.headers.get('Content-Type')).toBe('text/html; charset=utf-8')
  expect(page.headers.get('Content-Security-Policy')).toContain("default-src 'none'; script-src 'self';")
  const text = await page.text()
  expect(text).not.toMatch(/<script(?![^>]* src=)|<style|style=|onclick/)
  const files = [...text.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map((match) => match[1] ?? '')
  expect(files).toContain('page/main.js')
  for (const file of files) expect((await fetch(`${url}/${file}`)).status, file).toBe(200)
  for (const path of ['/page/none.js', '/page/shapes.ts', '/page/call-history.test.js', '/page/..%2fup.js']) {
    expect((await fetch(`${url}${path}`)).status, path).toBe(404)
  }
})

test('its modules are JavaScript, and import each other by the names that are served', async () => {
  const { url } = await scene([])
  const known = new Set(['main.js'])
  for (const name of known) {
    const script = await fetch(`${url}/page/${name}`)
    expect(script.headers.get('Content-Type')).toBe('text/javascript; charset=utf-8')
    const text = await script.text()
    expect(text).not.toMatch(/readonly |import type|: string/)
    for (const [, next = ''] of text.matchAll(/from '\.\/([^']+)'/g)) known.add(next)
  }
  expect(known.size).toBeGreaterThan(5)
})

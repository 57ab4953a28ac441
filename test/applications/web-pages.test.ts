// The applications of docs/examples that have web pages, at whole replicas: what a browser sees and does there, wherever it asks, and that
// the owner's death in the middle changes none of it.

import type { Stamp } from '../../src/base/instant.ts'
import { expect, test } from 'vitest'
import { callsPage } from '../../docs/examples/applications/calls-page.ts'
import { clickToDial } from '../../docs/examples/applications/click-to-dial.ts'
import type { AppAnswer } from '../../src/app/contract.ts'
import { must } from '../../src/base/assert.ts'
import type { ReplicaId } from '../../src/base/brand.ts'
import { phone, request, response } from '../../src/call/testing/phone.ts'
import { answerHttp } from '../../src/host/http-turn.ts'
import type { HttpAnswer } from '../../src/replica/effect.ts'
import { Trio } from '../../src/replica/testing/trio.ts'
import { groupOfCallId } from '../../src/proxy/token.ts'
import type { Application } from '../../src/servlet/application.ts'
import { failed, runHandler } from '../../src/servlet/run-handler.ts'

const caller = phone('caller', '127.38.0.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)

/** A set that runs the application, and browsers in front of it. */
class Web {
  readonly trio: Trio
  readonly #application: Application
  #done = 0
  #asked = 0

  constructor(application: Application) {
    this.#application = application
    const { name, handlers } = application
    this.trio = new Trio(3, {}, [{ name, version: '1', handlers }]).begin()
  }

  /** Handlers run, wherever they are asked, until nothing more comes of it. */
  async run(ms = 50): Promise<void> {
    const { trio } = this
    trio.settle()
    for (trio.pass(ms); this.#done < trio.calls.length; trio.pass(ms)) {
      const call = must(trio.calls[this.#done++], 'a call')
      const answer = await this.#answer(call)
      trio.step(call.by, { kind: 'answered', id: call.id, answer })
      trio.settle()
    }
  }

  async #answer(call: Trio['calls'][number]): Promise<AppAnswer> {
    if (call.handler === 'doHttp') return await answerHttp(this.#application, call, failed)
    const run = runHandler(this.#application, call)
    return run.kind === 'answered' ? run.answer : { kind: 'failed', reason: 'it is async' }
  }

  async sip(at: ReplicaId, from: typeof caller, data: string): Promise<void> {
    this.trio.sip(at, from.flow, data)
    await this.run()
  }

  /** A request reaches that replica. */
  begin(
    at: ReplicaId,
    method: string,
    path: string,
    given: { readonly cookie?: string; readonly body?: string } = {},
  ): number {
    const id = ++this.#asked
    const { name } = this.#application
    const url = new URL(path, 'http://127.0.0.1')
    const body = new TextEncoder().encode(given.body ?? '')
    const headers = [['content-type', 'application/x-www-form-urlencoded']] as const
    const web = { method, url: url.href, headers, body }
    const session = url.searchParams.get('hfsession') ?? ''
    const prefix = `/${name}`
    this.trio.step(at, {
      kind: 'http',
      id,
      application: name,
      request: web,
      prefix,
      session,
      cookie: given.cookie ?? '',
    })
    return id
  }

  answer(id: number): Extract<HttpAnswer, { kind: 'response' }> {
    const page = must(
      this.trio.pages.find((one) => one.id === id),
      'an answer',
    )
    if (page.answer.kind !== 'response') throw new Error(page.answer.reason)
    return page.answer
  }

  async ask(...asked: Parameters<Web['begin']>): Promise<{ status: number; html: string; cookie: string }> {
    const id = this.begin(...asked)
    await this.run()
    const { response: shown, cookie } = this.answer(id)
    const html = new TextDecoder().decode(shown.body)
    return { status: shown.status, html, cookie: cookie?.kind === 'set' ? cookie.value : '' }
  }

  last(start: string): string {
    return must(
      this.trio.sent.findLast(({ data }) => data.startsWith(start)),
      start,
    ).data
  }

  all(start: string): readonly string[] {
    return this.trio.sent.filter(({ data }) => data.startsWith(start)).map(({ data }) => data)
  }

  ownerOf(callId: string): ReplicaId {
    const { store } = this.trio.replica(this.trio.leader())
    const keys = {
      current: store.keyGeneration,
      at: (time: Stamp) => store.keyAt(time),
      key: (generation: number) => store.key(generation),
    }
    const life = store.ownerOf(groupOfCallId(keys, callId))
    return must(
      this.trio.ids.find((id) => this.trio.lifeOf(id) === life),
      'an owner',
    )
  }
}

/** The link, or the button, of the page that goes to that path. */
function linkIn(html: string, path: string): string {
  return must(new RegExp(`"(${path}\\?[^"]*)"`).exec(html)?.[1], `a link to ${path}`)
}

test('a web page shows calls and ends them; the owner’s death in the middle changes nothing of it [JSR 27] [JSR question 2.2]', async () => {
  const web = new Web(callsPage)
  const { trio } = web
  const owner = web.ownerOf('call-1')
  const others = trio.ids.filter((id) => id !== owner)
  await web.sip(owner, caller, request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060'))
  await web.sip(owner, callee, response(callee, web.last('INVITE '), 200))
  for (const at of trio.ids) {
    const { status, html } = await web.ask(at, 'GET', '/calls/')
    expect([status, html.includes('<td>CONFIRMED'), html.includes('sip:caller@')]).toEqual([200, true, true])
  }
  const [at = owner] = others
  const { html } = await web.ask(at, 'GET', '/calls/')
  const call = await web.ask(at, 'GET', linkIn(html, '/calls/call'))
  expect(call.html).toContain('Call-ID call-1')

  // The owner dies with the order in hand.
  trio.frames = (from, _to, frame) => !(from === owner && frame.kind === 'propose') && frame.kind !== 'ordered'
  const id = web.begin(at, 'POST', linkIn(call.html, '/calls/end'))
  await web.run(5)
  expect(trio.pages.some((page) => page.id === id)).toBe(false)
  trio.kill(owner)
  for (const other of others) trio.link(other, owner, 'refused')
  trio.frames = () => true
  for (let n = 0; n < 40; n++) await web.run(50)
  expect(web.answer(id).response.status).toBe(303)
  expect(new Set(web.all('BYE ')).size).toBe(2)
  for (const end of [caller, callee]) await web.sip(at, end, response(end, sentTo(web, end.flow.port), 200))
  for (const place of others) {
    const after = await web.ask(place, 'GET', linkIn(call.html, '/calls/end').replace('/end', '/call'))
    expect(after.status).toBe(410)
  }
})

function sentTo({ trio }: Web, port: number): string {
  return must(
    trio.sent.findLast(({ flow, data }) => flow.port === port && data.startsWith('BYE ')),
    'a BYE',
  ).data
}

test('click to dial from a web page: the browser has its call by a cookie, at every replica [JSR 27]', async () => {
  const web = new Web(clickToDial)
  const [first = web.trio.leader()] = web.trio.ids
  expect((await web.ask(first, 'GET', '/click-to-dial/')).html).toContain('no call')
  const body = new URLSearchParams({ first: caller.contact, second: callee.contact }).toString()
  const dialled = await web.ask(first, 'POST', '/click-to-dial/', { body })
  expect([dialled.status, dialled.cookie === '']).toEqual([303, false])
  const invite = web.last('INVITE ')
  for (const at of web.trio.ids) {
    const { html } = await web.ask(at, 'GET', '/click-to-dial/', { cookie: dialled.cookie })
    expect(html).toContain('INITIAL')
  }
  await web.sip(first, caller, response(caller, invite, 180))
  const { html } = await web.ask(first, 'GET', '/click-to-dial/', { cookie: dialled.cookie })
  expect(html).toContain('EARLY')
})

// The session of an HTTP request, as doHttp's turn sees it (JSR 289 13.3, ConvergedHttpSession). What the request hasn't got yet is asked
// for by ending the run: the replica looks, and the handler runs again with it (replica/http.ts).

import type { HttpAsk, HttpFound, HttpResponse, HttpResult, SessionSummary, SessionWanted } from '../app/http.ts'
import { partyOf } from './address.ts'
import type { ConvergedHttpSession, HttpContext, SessionPage, SipApplicationSession } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'

/** The parameter of a URL that names a session. */
export const SESSION_PARAMETER = 'hfsession'

/** Thrown where a handler asks for what it hasn't got. */
class RunAgain extends Error {
  override name = 'RunAgain'
}

type Wanted = Extract<HttpResult, { kind: 'wants' }>['wanted']

export class HttpTurn {
  readonly context: HttpContext
  readonly #turn: HandlerTurn
  readonly #ask: HttpAsk
  readonly #session: ConvergedHttpSession | null
  #wanted: Wanted | null = null
  #keeps: 'yes' | 'no' | null = null

  constructor(turn: HandlerTurn, ask: HttpAsk) {
    this.#turn = turn
    this.#ask = ask
    this.#session = turn.call.view.id === '' ? null : this.#converged(turn.applicationSession)
    const { prefix } = ask
    const getSession = (create = true): ConvergedHttpSession | null => this.#get(create)
    this.context = {
      ...turn.context,
      prefix,
      getSession: getSession as HttpContext['getSession'],
      getSessionByKey: ((key: string, create = true) => this.#byKey(key, create)) as HttpContext['getSessionByKey'],
      getSessionById: (id) => this.#byId(id),
      listSessions: (from = 0) => this.#list(from),
    }
  }

  /** The handler has asked for something, and is to run again; whatever it said is of no account. */
  get isAgain(): boolean {
    return this.#wanted !== null
  }

  /** The turn's result. */
  result(response: HttpResponse | null): HttpResult {
    if (this.#wanted !== null) return { kind: 'wants', wanted: this.#wanted }
    if (response === null) throw new TypeError('doHttp should return a Response')
    return { kind: 'response', response, keeps: this.#keeps }
  }

  #converged(applicationSession: SipApplicationSession): ConvergedHttpSession {
    const { hasCookie, isNew } = this.#ask
    return {
      applicationSession,
      id: applicationSession.id,
      isNew,
      isFromCookie: hasCookie,
      encodeURL: (url) => this.#encode(url, applicationSession.id),
      invalidate: () => {
        this.#turn.checkOpen()
        this.#keeps = 'no'
      },
    }
  }

  /** Without an index: who comes by a URL alone is shown what is newest then. */
  #encode(url: string, id: string): string {
    const [, before = '', fragment = ''] = /^([^#]*)(#.*)?$/s.exec(url) ?? []
    const parameter = `${SESSION_PARAMETER}=${id}`
    const others = before.replace(new RegExp(`([?&])${SESSION_PARAMETER}=[^&]*&?`), '$1').replace(/[?&]$/, '')
    return `${others}${others.includes('?') ? '&' : '?'}${parameter}${fragment}`
  }

  #get(create: boolean): ConvergedHttpSession | null {
    if (this.#session !== null || !create) return this.#session
    return this.#want({ kind: 'new' })
  }

  #byKey(key: string, create: boolean): ConvergedHttpSession | null {
    if (typeof key !== 'string' || key === '') throw new TypeError('a key is a text that is not empty')
    const known = this.#session?.applicationSession.key
    if (known === key) return this.#session
    return this.#find({ kind: 'key', key, create })
  }

  #byId(id: string): ConvergedHttpSession | null {
    if (typeof id !== 'string' || id === '') throw new TypeError("an id is an application session's, a text")
    return this.#session?.id === id ? this.#session : this.#find({ kind: 'id', id })
  }

  #find(wanted: SessionWanted): ConvergedHttpSession | null {
    if (this.#session !== null) {
      illegal(
        'a request has one session, and this one has its own already: read others by listSessions(), or answer with a redirection to encodeURL() of the other one',
      )
    }
    return isSame(this.#ask.found, wanted) ? null : this.#want(wanted)
  }

  #list(from: number): SessionPage {
    if (!Number.isSafeInteger(from) || from < 0)
      throw new TypeError('a list goes on from what `next` of a page before said')
    const { list } = this.#ask.found
    if (list === null || list.from !== from) return this.#want({ kind: 'list', from })
    return { next: list.page.next, sessions: list.page.sessions.map((one) => this.#summary(one)) }
  }

  #summary({ id, key, created, sessions }: SessionSummary): SessionPage['sessions'][number] {
    return {
      ...{ id, key, creationTime: created / 1_000, encodeURL: (url: string) => this.#encode(url, id) },
      sessions: sessions.map(({ id: own, callId, state, local, remote }) => {
        const parties = { localParty: partyOf(local), remoteParty: partyOf(remote) }
        return {
          id: own,
          callId,
          state: state as SessionPage['sessions'][number]['sessions'][number]['state'],
          ...parties,
        }
      }),
    }
  }

  #want(wanted: Wanted): never {
    this.#turn.checkOpen()
    this.#wanted ??= wanted
    throw new RunAgain('the handler runs again, with what it asked for: let this through')
  }
}

function isSame({ none }: HttpFound, wanted: SessionWanted): boolean {
  if (none === null || none.kind === 'new' || none.kind !== wanted.kind) return false
  return none.kind === 'id'
    ? wanted.kind === 'id' && none.id === wanted.id
    : wanted.kind === 'key' && none.key === wanted.key
}

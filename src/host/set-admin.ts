// `up`'s own admin port: the page, the statuses of all replicas in one array, and orders that concern their processes.

import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { replicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { printAddress } from './address.ts'
import { fetchJson, order } from './admin-client.ts'
import { isLetIn } from './admin-token.ts'
import { isOrder, isRead, listen, readOrder, sendJson } from './admin-http.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import { passOnEvents } from './event-relay.ts'
import { readAfter } from './event-streams.ts'
import { hostLimits } from './limits.ts'
import type { Live } from './live.ts'
import { refusalIn } from './operation.ts'
import { isMemberOrder, memberOrders } from './member-order.ts'
import type { MemberOrder } from './member-order.ts'
import { isAskedDirectly, isOwnOrder, pageFile, servePage } from './page-files.ts'
import { passOn } from './pass-on.ts'
import { RollingRestart } from './rolling-restart.ts'
import type { RollStatus } from './rolling-restart.ts'
import type { SetMembers } from './set-members.ts'
import type { SetProcess } from './set-process.ts'

const ORDERS = [
  'restart',
  'drain',
  'reload',
  'bans/add',
  'bans/remove',
  'applications/reload',
  ...memberOrders.map((kind) => `members/${kind}`),
].map((path) => `POST /${path}`)
const PATHS = [
  '/',
  '/status',
  '/calls',
  '/calls/CALL-ID',
  '/trace/CALL-ID',
  '/members',
  '/bans',
  '/events',
  '/restart',
  ...ORDERS,
]

const NOBODY = 'no replica answers: holdfast status shows which run'

type Processes = Pick<SetProcess, 'config' | 'drain' | 'cycle' | 'kill'>

export interface SetAdminParts {
  readonly live: Live
  /** What the page's orders carry; null = it has none. */
  readonly token: string | null
  /** Takes over what the set's config file has now. Never rejects; an error is a sentence for the user. */
  reread(): Promise<Result<null, string>>
  /** ...and has the replicas go over to it as they run: the options that changed, or why nothing was done. */
  reload(): Result<readonly string[], string>
}

export class SetAdmin {
  readonly #set: Processes
  readonly #members: Pick<SetMembers, 'view' | 'order'>
  readonly #live: Live
  /** What the page's orders carry; null = it has none. */
  readonly #token: string | null
  readonly #server: Server
  /** The last one that was asked for. */
  #roll: RollingRestart | null = null
  /** Before a rolling restart: the config file is read anew. */
  readonly #reread: () => Promise<Result<null, string>>
  readonly #reloadFile: SetAdminParts['reload']
  #isReading = false
  /** Of events. */
  #consumers = 0

  constructor(
    set: Processes,
    members: Pick<SetMembers, 'view' | 'order'>,
    { live, token, reread, reload }: SetAdminParts,
  ) {
    this.#set = set
    this.#members = members
    this.#live = live
    this.#token = token
    this.#reread = reread
    this.#reloadFile = reload
    this.#server = createServer((request, response) => void this.#answer(request, response))
    this.#server.on('clientError', (_error, socket) => void socket.destroy())
  }

  /** Rejects with the system's error. */
  open(): Promise<void> {
    return listen(this.#server, this.#set.config.admin)
  }

  close(): void {
    this.#live.close()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isLetIn(request, response, this.#set.config.adminToken)) return
    const path = (request.url ?? '/').split('?', 1)[0]
    switch (path) {
      case '/status':
        if (isRead(request, response)) sendJson(response, 200, await statuses(this.#set.config))
        return
      case '/restart':
        if (request.method === 'POST') await this.#restart(request, response)
        else if (isRead(request, response)) sendJson(response, 200, this.#roll?.state ?? null)
        return
      case '/drain':
        if (isOrder(request, response)) await this.#drain(request, response)
        return
      case '/reload':
        if (isOrder(request, response)) this.#rereadFile(response)
        return
      case '/members':
        if (isRead(request, response)) await this.#view(response)
        return
      case '/bans':
        if (isRead(request, response)) await this.#bans(response)
        return
      case '/applications/reload':
        if (isOrder(request, response)) await this.#reload(request, response)
        return
      case '/events':
        if (isRead(request, response)) await this.#events(request, response)
        return
      case '/bans/add':
      case '/bans/remove':
        if (isOrder(request, response)) await this.#ban(path, request, response)
        return
      case '/live':
        if (isAskedDirectly(request, response)) this.#live.serve(request, response)
        return
      case '/kill':
        if (isOwnOrder(request, response, this.#token)) await this.#kill(request, response)
        return
      default: {
        const file = pageFile(request.url)
        if (file !== null) return servePage(file, request, response)
        if (/^\/calls(?:\/[^/]+)?$/.test(path ?? '')) return this.#calls(request, response)
        if (/^\/trace\/[^/]+$/.test(path ?? '')) return this.#calls(request, response, hostLimits.traceMs)
        const kind = /^\/members\/([a-z]+)$/.exec(path ?? '')?.[1]
        if (kind !== undefined && isMemberOrder(kind)) return this.#change(kind, request, response)
        sendJson(response, 404, { error: 'there is nothing here', paths: PATHS })
      }
    }
  }

  async #view(response: ServerResponse): Promise<void> {
    const view = await this.#members.view()
    if (view === null) sendJson(response, 503, { error: NOBODY })
    else sendJson(response, 200, view)
  }

  async #change(kind: MemberOrder, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOrder(request, response)) return
    const fields = await readOrder(request)
    if (!fields.ok) return sendJson(response, 400, { ok: false, error: fields.error })
    try {
      const { status, body } = await this.#members.order(kind, fields.value)
      sendJson(response, status, body)
    } catch (error) {
      sendJson(response, 500, { ok: false, error: `it can't be done: ${(error as Error).message}` })
    }
  }

  async #bans(response: ServerResponse): Promise<void> {
    for (const { admin } of this.#set.config.replicas) {
      const list = await fetchJson(`http://${printAddress(admin)}/bans`)
      if (list.ok) return sendJson(response, 200, list.value)
    }
    sendJson(response, 503, { error: NOBODY })
  }

  #rereadFile(response: ServerResponse): void {
    const read = this.#reloadFile()
    if (read.ok) sendJson(response, 200, { ok: true, changed: read.value })
    else sendJson(response, 409, { ok: false, error: read.error })
  }

  /** At each replica that runs; another one loads what lies on the disk when it starts. */
  async #reload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await readOrder(request)
    if (!fields.ok) return sendJson(response, 400, { ok: false, error: fields.error })
    const answers = await Promise.all(
      this.#set.config.replicas.map(async ({ id, admin }) => {
        const url = `http://${printAddress(admin)}/applications/reload`
        const answer = await order(url, fields.value, hostLimits.applicationLoadMs + hostLimits.statusMs)
        if (!answer.ok) return { replica: id, ok: false, unreachable: answer.error }
        return { replica: id, status: answer.value.status, ...(answer.value.body as Readonly<Record<string, unknown>>) }
      }),
    )
    const asked = answers.filter((answer) => 'status' in answer)
    const refused = asked.find(({ status }) => status !== 200)
    if (asked.length === 0) sendJson(response, 503, { ok: false, error: NOBODY })
    else if (refused === undefined) sendJson(response, 200, { ...asked[0], replicas: answers })
    else
      sendJson(response, refused.status, {
        ...refused,
        error: `replica ${refused.replica}: ${refusalIn(refused)}`,
        replicas: answers,
      })
  }

  /** Whichever replica tells them, and then the next one: who asks here needn't know of their deaths. */
  async #events(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const after = readAfter(request)
    if (!after.ok) return sendJson(response, 400, { error: after.error })
    if (this.#consumers >= hostLimits.eventConsumers) {
      return sendJson(response, 503, { error: `${hostLimits.eventConsumers} consumers follow events here already` })
    }
    this.#consumers++
    try {
      await passOnEvents(this.#set.config, after.value, response)
    } finally {
      this.#consumers--
    }
  }

  /** Whichever replica can have it done. */
  async #ban(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await readOrder(request)
    if (!fields.ok) return sendJson(response, 400, { ok: false, error: fields.error })
    let error = NOBODY
    for (const { admin } of this.#set.config.replicas) {
      const answer = await order(`http://${printAddress(admin)}${path}`, fields.value)
      if (answer.ok && answer.value.status !== 503) return sendJson(response, answer.value.status, answer.value.body)
      if (answer.ok) error = refusalIn(answer.value.body)
    }
    sendJson(response, 503, { ok: false, error })
  }

  /** Whichever replica knows: they know the same. */
  async #calls(request: IncomingMessage, response: ServerResponse, patienceMs?: number): Promise<void> {
    if (!isRead(request, response)) return
    const urls = this.#set.config.replicas.map(({ admin }) => `http://${printAddress(admin)}`)
    await passOn(urls, request.url ?? '/calls', response, { nobody: NOBODY, patienceMs })
  }

  /** `kill -9` by the page's button, of a set that is there to be tried. */
  async #kill(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await readOrder(request)
    if (!fields.ok) return sendJson(response, 400, { ok: false, error: fields.error })
    const named = this.#named(fields.value['replica'])
    if (!named.ok) return sendJson(response, 404, { ok: false, error: named.error })
    const { id } = named.value
    if (this.#set.kill(id)) sendJson(response, 200, { ok: true })
    else sendJson(response, 409, { ok: false, error: `replica ${id} does not run` })
  }

  async #drain(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await readOrder(request)
    if (!fields.ok) return sendJson(response, 400, { error: fields.error })
    const named = this.#named(fields.value['replica'])
    if (!named.ok) return sendJson(response, 404, { error: named.error })
    const { id } = named.value
    if (this.#set.drain(id)) sendJson(response, 202, { draining: true })
    else sendJson(response, 409, { error: `replica ${id} does not run` })
  }

  /** One at a time: asked again, it is told how far that is. */
  async #restart(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOrder(request, response)) return
    if (this.#isReading) return sendJson(response, 409, { error: 'another restart begins just now; ask again' })
    if (this.#roll?.state.running !== true) {
      const { replicas } = this.#set.config
      if (replicas.length < 3) {
        const error = `a set of ${replicas.length} has no quorum while one of it restarts: calls would stop meanwhile; restart up instead`
        return sendJson(response, 409, { error })
      }
      this.#isReading = true
      const read = await this.#reread().finally(() => (this.#isReading = false))
      if (!read.ok) return sendJson(response, 409, { error: `nothing was restarted: ${read.error}` })
      this.#roll = new RollingRestart({
        replicas: replicas.map(({ id }) => id),
        status: (replica) => this.#status(replica),
        cycle: (replica) => this.#set.cycle(replicaId(replica)),
        sleep,
      })
      void this.#roll.run()
    }
    sendJson(response, 202, this.#roll.state)
  }

  #named(replica: unknown): Result<ReplicaConfig, string> {
    const { replicas } = this.#set.config
    const found = replicas.find(({ id }) => id === replica)
    if (found !== undefined) return ok(found)
    return err(`"replica" should be one of ${replicas.map(({ id }) => id).join(', ')}`)
  }

  async #status(replica: number): Promise<RollStatus | null> {
    const named = this.#named(replica)
    if (!named.ok) return null
    const status = await fetchJson(`http://${printAddress(named.value.admin)}/status`)
    return status.ok ? (status.value as RollStatus) : null
  }
}

/** Every replica's `/status`, in order of id; of one that doesn't answer `{replica, unreachable: reason}`. */
function statuses(config: SetConfig): Promise<readonly unknown[]> {
  return Promise.all(
    config.replicas.map(async ({ id, admin }) => {
      const status = await fetchJson(`http://${printAddress(admin)}/status`)
      return status.ok ? status.value : { replica: id, unreachable: status.error }
    }),
  )
}

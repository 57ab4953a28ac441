// Changes of the set that `up` runs (decisions/0023): the set's own members agree on them (replica/members.ts); here are the
// processes, addresses and folders that go with them. Each order is given again until it is done, and does what is left to do.
//
//     add       the members take the place into their book --> its process is started, with a fresh folder --> it joins
//     remove    its calls move, it is voted out, and ends --> its folder is put aside, and up forgets it
//     replace   the members await a fresh disk --> its process ends, if there is one; its folder is put aside; a fresh one starts

import { replicaId } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { MemberAnswer, MembersView } from '../wire/member-request.ts'
import { printAddress } from './address.ts'
import { fetchJson, order } from './admin-client.ts'
import type { AdminAnswer } from './admin-client.ts'
import { clashOf, MOST_REPLICAS } from './config.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import type { Logger } from './log.ts'
import type { MemberOrder } from './member-order.ts'
import { replicaTrouble } from './ports.ts'
import type { SetProcess } from './set-process.ts'
import { hasName } from './sip-addresses.ts'

export interface SetMembersPorts {
  readonly set: Pick<SetProcess, 'config' | 'add' | 'drop'>
  readonly log: Logger
  /** Where a replica of that number keeps its data; null = in memory. */
  folderOf(replica: number): string | null
  /** Writes down which replicas the set has. */
  remember(config: SetConfig): Promise<void>
  /** Puts a replica's data folder aside. */
  putAside(data: string): Promise<void>
  /** Writes down that this replica, without a log, founds no set: it joins the one that there is. */
  joins(replica: ReplicaId): Promise<void>
}

type Fields = Readonly<Record<string, unknown>>

export class SetMembers {
  readonly #ports: SetMembersPorts
  /** Replicas whose process is being changed. */
  readonly #busy = new Set<number>()
  /** Replicas that were begun anew, until their replacement is done. */
  readonly #renewed = new Set<number>()

  constructor(ports: SetMembersPorts) {
    this.#ports = ports
  }

  /** Who is in the set, as its leader sees it; if nobody leads, as anybody does. Null: nobody answers. */
  async view(): Promise<MembersView | null> {
    const { replicas } = this.#ports.set.config
    const views = await Promise.all(replicas.map(({ admin }) => fetchJson(`http://${printAddress(admin)}/members`)))
    const seen = replicas.flatMap(({ id }, i) => {
      const view = views[i]
      return view?.ok === true ? [{ id, view: view.value as MembersView }] : []
    })
    return (seen.find(({ id, view }) => view.leader === id) ?? seen[0])?.view ?? null
  }

  /** Never rejects but for a folder that can't be changed. */
  async order(kind: MemberOrder, fields: Fields): Promise<AdminAnswer> {
    const { place } = fields
    if (typeof place !== 'number' || !Number.isInteger(place) || place < 1) {
      return refusal(400, `"place" should be a replica's number, as in {"place":4}`)
    }
    switch (kind) {
      case 'add':
        return this.#add(place)
      case 'remove':
        return this.#remove(place)
      case 'replace':
        return this.#replace(place, fields)
      case 'transfer':
        return this.#forward(kind, fields)
      case 'rebootstrap':
        return refusal(409, `ask replica ${place} itself, at its own admin address: the others are lost`)
    }
  }

  #known(place: number): ReplicaConfig | null {
    return this.#ports.set.config.replicas.find(({ id }) => id === place) ?? null
  }

  async #add(place: number): Promise<AdminAnswer> {
    const known = this.#known(place)
    const replica = known ?? this.#newcomer(place)
    const trouble = known === null ? await this.#troubleOf(replica) : null
    if (trouble !== null) return refusal(409, trouble)
    const addresses = { peer: printAddress(replica.peer), admin: printAddress(replica.admin) }
    const answer = await this.#forward('add', { place, ...addresses })
    if (known === null && isTaken(answer)) await this.#alone(place, () => this.#begin(replica))
    return started(answer)
  }

  /** At the next ports of the set's. */
  #newcomer(place: number): ReplicaConfig {
    const { replicas, admin } = this.#ports.set.config
    const [first] = replicas
    const peer = first === undefined ? admin : { ...first.peer, port: first.peer.port - first.id + place }
    const own = { ...admin, port: admin.port + place }
    const web = first?.http
    const http = web === undefined ? {} : { http: { ...web, port: web.port - (first?.id ?? 0) + place } }
    return { id: replicaId(place), admin: own, peer, ...http, data: this.#ports.folderOf(place) }
  }

  #troubleOf(replica: ReplicaConfig): Promise<string | null> {
    const { config } = this.#ports.set
    const replicas = [...config.replicas, replica]
    if (replicas.length > MOST_REPLICAS) {
      return Promise.resolve(`the set has ${MOST_REPLICAS} replicas, which is the most: remove one first`)
    }
    if (hasName(config)) {
      const fix = 'end up, give it one in the config file, and start it again'
      return Promise.resolve(
        `each replica of this set has its own SIP address, which up can't choose for a new one: ${fix}`,
      )
    }
    const clash = clashOf({ ...config, replicas })
    return clash === null ? replicaTrouble(replica) : Promise.resolve(clash)
  }

  async #begin(replica: ReplicaConfig): Promise<void> {
    const { set, remember, putAside, joins, log } = this.#ports
    log.info({ code: 'replica-fresh', replica: replica.id }, 'a replica starts with a fresh folder')
    if (replica.data !== null) await putAside(replica.data)
    await joins(replica.id)
    set.add(replica)
    await remember(set.config)
  }

  async #remove(place: number): Promise<AdminAnswer> {
    const answer = await this.#forward('remove', { place })
    const known = this.#known(place)
    if (known !== null && isDone(answer)) {
      await this.#alone(place, async () => {
        const { set, remember, putAside, log } = this.#ports
        log.info({ code: 'replica-removed', replica: place }, 'a replica has left the set: its process ends')
        await set.drop(known.id)
        await remember(set.config)
        if (known.data !== null) await putAside(known.data)
      })
    }
    return answer
  }

  async #replace(place: number, fields: Fields): Promise<AdminAnswer> {
    const known = this.#known(place)
    if (known === null) return refusal(404, `up runs no replica ${place}: holdfast members list shows which there are`)
    const answer = await this.#forward('replace', fields)
    if (isDone(answer)) this.#renewed.delete(place)
    if (stageOf(answer) === 'awaited' && !this.#renewed.has(place)) {
      await this.#alone(place, async () => {
        this.#renewed.add(place)
        await this.#ports.set.drop(known.id)
        await this.#begin(known)
      })
    }
    return started(answer)
  }

  /** One change of a replica's process at a time: the order is given again. */
  async #alone(place: number, change: () => Promise<void>): Promise<void> {
    if (this.#busy.has(place)) return
    this.#busy.add(place)
    try {
      await change()
    } finally {
      this.#busy.delete(place)
    }
  }

  /** To the members, who pass it on to their leader: whoever of them answers. */
  async #forward(kind: MemberOrder, fields: Fields): Promise<AdminAnswer> {
    let last: AdminAnswer = refusal(503, 'no replica answers: holdfast status shows which run')
    for (const { admin } of this.#ports.set.config.replicas) {
      const answer = await order(`http://${printAddress(admin)}/members/${kind}`, fields)
      if (!answer.ok) continue
      last = answer.value
      if (last.status !== 503) return last
    }
    return last
  }
}

function refusal(status: number, error: string): AdminAnswer {
  return { status, body: { ok: false, error } }
}

function isTaken({ status }: AdminAnswer): boolean {
  return status === 200 || status === 202
}

function stageOf({ body }: AdminAnswer): string | null {
  const answer = body as MemberAnswer
  return answer.ok ? answer.stage.kind : null
}

/** Nobody need start it by hand. */
function started(answer: AdminAnswer): AdminAnswer {
  const body = answer.body as MemberAnswer
  if (!body.ok || body.stage.kind !== 'awaited') return answer
  return { ...answer, body: { ...body, said: `replica ${body.place} starts with a fresh folder` } }
}

function isDone(answer: AdminAnswer): boolean {
  return stageOf(answer) === 'done'
}

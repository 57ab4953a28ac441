// What a leader makes of a request about the set's membership (member-request.ts): an answer, or a row for the member book, once
// that is applied the same request has its answer. So a repeated request, and one that came to two leaders, is one.

import { generationOf, placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { Configuration } from '../raft/configuration.ts'
import { currentId } from '../store/book.ts'
import type { BookRow } from '../wire/entry.ts'
import type { AddMember, JoinSet, MemberAnswer, MemberRequest, ReplaceMember } from '../wire/member-request.ts'
import { limits } from './limits.ts'
import { missingQuorum, sayStage } from './member-plan.ts'
import type { PlaceView } from './member-plan.ts'
import { nextGeneration } from './rebootstrap.ts'

export type Decision =
  | { readonly kind: 'answer'; readonly status: number; readonly body: MemberAnswer }
  | { readonly kind: 'book'; readonly row: BookRow }

/** What a decision is drawn from. */
export interface Council {
  readonly plan: readonly PlaceView[]
  readonly configuration: Configuration
  readonly isReachable: (id: ReplicaId) => boolean
  /** It has led for long enough to know who is silent. */
  readonly knowsSilence: boolean
}

export const NEW_LEADER = 'the leader is new and does not know yet who is silent: ask again'

type Wish = Exclude<MemberRequest, { readonly kind: 'transfer' | 'rebootstrap' }>

export function decide(request: Wish, council: Council): Decision {
  const view = council.plan.find(({ row }) => row.place === request.place) ?? null
  switch (request.kind) {
    case 'add':
      return decideAdd(request, view, council)
    case 'remove':
      return decideRemove(request.place, view, council)
    case 'replace':
      return decideReplace(request, view, council)
    case 'join':
      return decideJoin(request, view, council)
  }
}

function decideAdd({ place, peer, admin }: AddMember, view: PlaceView | null, { plan }: Council): Decision {
  if (view !== null && view.row.wanted) {
    const { row } = view
    const isSame = (row.peer === '' || row.peer === peer) && (row.admin === '' || row.admin === admin)
    if (isSame) return stageOf(view)
    return refuse(
      409,
      `replica ${place} is in the set at ${row.peer}: to move it, holdfast members replace ${place} with the new addresses`,
    )
  }
  if (plan.filter(({ row }) => row.wanted).length >= limits.replicas) {
    return refuse(409, `the set has ${limits.replicas} replicas, which is the most: remove one first`)
  }
  const clash = plan.find(({ row }) => row.wanted && (row.peer === peer || row.admin === admin))
  if (clash !== undefined) {
    return refuse(409, `replica ${clash.row.place} has one of these addresses: give replica ${place} its own`)
  }
  const { generation, gone } = view?.row ?? { generation: 0, gone: 0 }
  return book({
    place,
    generation,
    gone,
    incarnation: view?.row.incarnation ?? '',
    wanted: true,
    awaited: false,
    peer,
    admin,
  })
}

function decideRemove(place: number, view: PlaceView | null, council: Council): Decision {
  if (view === null) return refuse(404, unknownPlace(place, council.plan))
  if (!view.row.wanted) return stageOf(view)
  const { incoming } = council.configuration.voters
  if (incoming.some((id) => placeOf(id) === place)) {
    // Each would count the other as one who stays.
    const other = council.plan.find(({ row }) => !row.wanted && incoming.some((id) => placeOf(id) === row.place))
    if (other !== undefined) return refuse(503, `replica ${other.row.place} is still leaving: ask again once it is out`)
    const rest = incoming.filter((id) => placeOf(id) !== place)
    if (rest.length === 0) return refuse(409, `replica ${place} is the last voter: add another first, or stop the set`)
    const missing = missingQuorum(rest, council.isReachable)
    if (missing !== null) return council.knowsSilence ? refuse(409, missing) : refuse(503, NEW_LEADER)
  }
  return book({ ...view.row, wanted: false, awaited: false })
}

function decideReplace(request: ReplaceMember, view: PlaceView | null, { plan }: Council): Decision {
  const { place, id } = request
  if (view === null || !view.row.wanted) return refuse(404, unknownPlace(place, plan))
  const { row } = view
  const isUnderWay = row.awaited || view.stage.kind !== 'done'
  if (isUnderWay || (id !== null && id !== view.id)) return stageOf(view)
  return book({ ...row, awaited: true, peer: request.peer ?? row.peer, admin: request.admin ?? row.admin })
}

function decideJoin(request: JoinSet, view: PlaceView | null, council: Council): Decision {
  const { place, incarnation, peer, admin } = request
  if (view === null || !view.row.wanted) {
    const fix = `holdfast members add ${place} --peer-address ${peer} --admin-address ${admin}`
    return refuse(404, `the set has no place ${place}, or not any more: ${fix}`)
  }
  const { row, id } = view
  if (id !== null && row.incarnation === incarnation) return stageOf(view)
  if (id !== null && !row.awaited) {
    if (!council.knowsSilence) return refuse(503, NEW_LEADER)
    // Of a founder that was not swapped in yet, or one that is being swapped in.
    if (council.isReachable(id)) {
      return refuse(
        409,
        `replica ${place} runs already, as ${place}.${generationOf(id)}: stop it, or say that it is to be replaced: ` +
          `holdfast members replace ${place}`,
      )
    }
  }
  const rows = council.plan.map((one) => one.row)
  return book({ ...row, generation: nextGeneration(row, rows), incarnation, awaited: false, peer, admin })
}

function unknownPlace(place: number, plan: readonly PlaceView[]): string {
  const known = plan.filter(({ row }) => row.wanted).map(({ row }) => row.place)
  return `the set has no replica ${place}: it has ${known.join(', ')}`
}

function stageOf({ row, id, stage }: PlaceView): Decision {
  return { kind: 'answer', ...answerStage(row.place, id, stage) }
}

/** Done or under way. */
export function answerStage(
  place: number,
  id: ReplicaId | null,
  stage: PlaceView['stage'],
): { readonly status: number; readonly body: MemberAnswer } {
  const status = stage.kind === 'done' ? 200 : 202
  return { status, body: { ok: true, place, id, stage, said: sayStage(place, stage) } }
}

function refuse(status: number, error: string): Decision {
  return { kind: 'answer', status, body: { ok: false, error } }
}

function book(row: BookRow): Decision {
  return { kind: 'book', row }
}

/** Who has the place as the book has it now. */
export function holderOf(plan: readonly PlaceView[], place: number): ReplicaId | null {
  const row = plan.find((view) => view.row.place === place)?.row
  return row === undefined ? null : currentId(row)
}

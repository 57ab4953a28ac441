// How far the set is from what the member book says, place by place, and the next step that brings it nearer (decision 0018).
// Pure: the leader takes the steps (members.ts), any replica can say how things stand.
//
//   wanted:      awaited --a fresh disk came--> joining --add-learner--> catching up --> [old one leaves serving]
//                                                                            --joint: + new, - old--> gone is noted --> done
//   not wanted:  [leaves serving] --remove--> gone is noted --> done

import { unreachable } from '../base/assert.ts'
import type { Index, ReplicaId } from '../base/brand.ts'
import { placeOf } from '../base/brand.ts'
import type { ConfChange, ConfChanges } from '../raft/conf-change.ts'
import type { Configuration } from '../raft/configuration.ts'
import { isJoint, membersOf } from '../raft/configuration.ts'
import { currentId, foundersRow } from '../store/book.ts'
import type { BookRow } from '../wire/entry.ts'
import type { MemberStage } from '../wire/member-request.ts'

/** What the plan is drawn from. */
export interface Situation {
  readonly rows: readonly BookRow[]
  readonly configuration: Configuration
  /** The configuration is committed. */
  readonly isCommitted: boolean
  readonly serves: (id: ReplicaId) => boolean
  /** A leader's: who could vote for a change now; null = this replica doesn't lead. */
  readonly lead: {
    readonly isReachable: (id: ReplicaId) => boolean
    readonly learner: (id: ReplicaId) => LearnerView
    /** Out of serving, it has ended, or had time enough to let its sockets come to rest. */
    readonly hasLeft: (id: ReplicaId) => boolean
  } | null
}

export interface LearnerView {
  readonly isCaughtUp: boolean
  readonly behind: number
  readonly snapshot: Index | null
  readonly rounds: number
}

export interface PlaceView {
  readonly row: BookRow
  readonly id: ReplicaId | null
  readonly stage: MemberStage
  /** What the leader is to do next about it; null = nothing, or not yet. */
  readonly step: Step | null
  /** Who must leave serving before that. */
  readonly leaving: readonly ReplicaId[]
}

export type Step =
  | { readonly kind: 'configuration'; readonly changes: ConfChanges }
  | { readonly kind: 'book'; readonly row: BookRow }

/** Every place that the book or the configuration has, in rising order. */
export function planOf(situation: Situation): readonly PlaceView[] {
  const views = rowsOf(situation.rows, situation.configuration).map((row) => viewOf(row, situation))
  return oneLeaving(views, situation)
}

/** Those that go leave serving one after another, so that the others can take over what they did: who has begun comes first. */
function oneLeaving(views: readonly PlaceView[], { serves }: Situation): readonly PlaceView[] {
  const changing = views.find(({ stage, leaving }) => stage.kind === 'joint' && leaving.length === 0)
  const begun = views.find(({ leaving }) => leaving.some((id) => !serves(id)))
  const first = changing ?? begun ?? views.find(({ leaving }) => leaving.length > 0)
  if (first === undefined) return views
  return views.map((view) => {
    if (view === first || view.leaving.length === 0) return view
    const reason = `replica ${first.row.place} leaves before it`
    return { ...view, stage: { kind: 'held', reason }, step: null, leaving: [] }
  })
}

/** The book's rows, and one for each place that is as it was founded. */
function rowsOf(rows: readonly BookRow[], configuration: Configuration): readonly BookRow[] {
  const known = new Set(rows.map(({ place }) => place))
  const founders = new Set(
    membersOf(configuration)
      .map(placeOf)
      .filter((place) => !known.has(place)),
  )
  return [...rows, ...[...founders].map(foundersRow)].sort((a, b) => a.place - b.place)
}

function viewOf(row: BookRow, situation: Situation): PlaceView {
  const { configuration } = situation
  const here = membersOf(configuration).filter((id) => placeOf(id) === row.place)
  const view = row.wanted ? wantedView(row, here, situation) : unwantedView(row, here, situation)
  const { incoming, outgoing } = configuration.voters
  const changes = here.some((id) => incoming.includes(id) !== outgoing.includes(id))
  if (!isJoint(configuration) || !changes) return view
  return { ...view, stage: { kind: 'joint' }, step: null, leaving: [] }
}

function wantedView(row: BookRow, here: readonly ReplicaId[], situation: Situation): PlaceView {
  const { configuration, lead } = situation
  const id = currentId(row)
  const view = (stage: MemberStage, step: Step | null = null): PlaceView => ({ row, id, stage, step, leaving: [] })
  const { learners } = configuration
  // A learner that never became a voter, and whose place another disk has now.
  const stale = learners.find((one) => here.includes(one) && one !== id)
  if (stale !== undefined) return view({ kind: 'joining' }, changeOf([{ kind: 'remove', replica: stale }]))
  if (id === null) return view({ kind: 'awaited' })
  const old = here.filter((one) => one !== id)
  if (!here.includes(id)) return view({ kind: 'joining' }, changeOf([{ kind: 'add-learner', replica: id }]))
  if (!learners.includes(id)) {
    if (row.gone < row.generation - 1) {
      const gone: Step = { kind: 'book', row: { ...row, gone: row.generation - 1 } }
      return view({ kind: 'joint' }, situation.isCommitted ? gone : null)
    }
    return view({ kind: row.awaited ? 'awaited' : 'done' })
  }
  if (lead === null) return view({ kind: 'catching-up', behind: 0, snapshot: null, rounds: 0 })
  const { isCaughtUp, behind, snapshot, rounds } = lead.learner(id)
  if (!lead.isReachable(id)) {
    return view({ kind: 'held', reason: `replica ${row.place} is not heard: is it running, can it be reached?` })
  }
  if (!isCaughtUp) return view({ kind: 'catching-up', behind, snapshot, rounds })
  const promotion: ConfChange[] = old.map((replica) => ({ kind: 'remove', replica }))
  return leaveThenChange(row, old, [{ kind: 'add-voter', replica: id }, ...promotion], situation)
}

function unwantedView(row: BookRow, here: readonly ReplicaId[], situation: Situation): PlaceView {
  const id = currentId(row)
  if (here.length > 0) {
    return leaveThenChange(
      row,
      here,
      here.map((replica) => ({ kind: 'remove', replica })),
      situation,
    )
  }
  if (id === null) return { row, id, stage: { kind: 'done' }, step: null, leaving: [] }
  const step: Step | null = situation.isCommitted ? { kind: 'book', row: { ...row, gone: row.generation } } : null
  return { row, id, stage: { kind: 'joint' }, step, leaving: [] }
}

/** Who goes is out of serving before it stops being a member; and who stays can go on alone. */
function leaveThenChange(
  row: BookRow,
  leaving: readonly ReplicaId[],
  changes: readonly ConfChange[],
  { configuration, serves, lead }: Situation,
): PlaceView {
  const id = currentId(row)
  const after = votersAfter(configuration, changes)
  if (after.length === 0) {
    const reason = 'it is the last voter: add another replica first, or stop the set'
    return { row, id, stage: { kind: 'held', reason }, step: null, leaving: [] }
  }
  const unheard = lead === null ? null : missingQuorum(after, lead.isReachable)
  if (unheard !== null) return { row, id, stage: { kind: 'held', reason: unheard }, step: null, leaving: [] }
  const isLeft = (one: ReplicaId): boolean => !serves(one) && lead?.hasLeft(one) !== false
  if (!leaving.every(isLeft)) return { row, id, stage: { kind: 'leaving-serving' }, step: null, leaving }
  return { row, id, stage: { kind: 'joint' }, step: changeOf(changes), leaving }
}

/** Why those voters could decide nothing now; null = they could. */
export function missingQuorum(voters: readonly ReplicaId[], isReachable: (id: ReplicaId) => boolean): string | null {
  const unheard = voters.filter((voter) => !isReachable(voter))
  if (2 * (voters.length - unheard.length) > voters.length) return null
  const which = unheard.map(placeOf).join(', ')
  return `of the voters that would be left, ${which} can't be reached: no quorum. Start or replace them first`
}

/** Who would vote once such a change is done. */
function votersAfter({ voters }: Configuration, changes: readonly ConfChange[]): readonly ReplicaId[] {
  const gone = new Set(changes.map(({ replica }) => replica))
  const added = changes.filter(({ kind }) => kind === 'add-voter').map(({ replica }) => replica)
  return [...voters.incoming.filter((voter) => !gone.has(voter)), ...added].sort((a, b) => a - b)
}

/** Who may own groups: a voter that stays. */
export function mayServe({ voters }: Configuration, plan: readonly PlaceView[], id: ReplicaId): boolean {
  return voters.incoming.includes(id) && !plan.some(({ leaving }) => leaving.includes(id))
}

function changeOf(changes: readonly ConfChange[]): Step {
  return { kind: 'configuration', changes: { changes, transition: 'auto' } }
}

/** A stage as a sentence. */
export function sayStage(place: number, stage: MemberStage): string {
  const it = `replica ${place}`
  switch (stage.kind) {
    case 'awaited':
      return `waiting for ${it} to be started without a log: holdfast start --config FILE --replica ${place}`
    case 'joining':
      return `${it} is being added as a learner`
    case 'catching-up': {
      const how = stage.snapshot === null ? '' : `, getting a snapshot as of ${stage.snapshot}`
      const slow = stage.rounds === 0 ? '' : `; the log grows as fast as it reads, after ${stage.rounds} rounds`
      return `${it} is catching up: ${stage.behind} entries behind${how}${slow}`
    }
    case 'leaving-serving':
      return `the calls of ${it} move to the others`
    case 'joint':
      return `the change of ${it} is being agreed on`
    case 'handing-over':
      return `leadership is being handed over`
    case 'held':
      return `${it} waits: ${stage.reason}`
    case 'done':
      return 'done'
    default:
      return unreachable(stage)
  }
}

import { describe, expect, it } from 'vitest'
import { index } from '../base/brand.ts'
import { instant, millis } from '../base/instant.ts'
import { Progress } from './progress.ts'

const now = instant(0)

function replicating(maxInflight = 2): Progress {
  const peer = new Progress(index(5), maxInflight)
  peer.sent(index(4), index(0), now)
  peer.acknowledged(index(4))
  return peer
}

describe('progress', () => {
  it('probes with one append at a time', () => {
    const peer = new Progress(index(5), 8)
    expect(peer.open).toBe(true)
    peer.sent(index(7), index(0), now)
    expect(peer).toMatchObject({ state: 'probe', open: false, next: 5 })
    peer.answered(instant(millis(10)), index(7), millis(25))
    expect(peer.open).toBe(false)
    peer.answered(instant(millis(25)), index(7), millis(25))
    expect(peer.open).toBe(true)
  })

  it('replicates from the first acknowledgement on, within its bound', () => {
    const peer = replicating()
    expect(peer).toMatchObject({ state: 'replicate', match: 4, next: 5 })
    peer.sent(index(6), index(0), now)
    peer.sent(index(7), index(0), now)
    expect(peer).toMatchObject({ open: false, inflight: 2, next: 8 })
    peer.acknowledged(index(6))
    expect(peer).toMatchObject({ open: true, inflight: 1, match: 6 })
  })

  it('falls back to probing on a rejection, and ignores late ones', () => {
    const peer = replicating()
    peer.sent(index(6), index(0), now)
    peer.rejected(index(4), index(2))
    expect(peer.state).toBe('replicate')
    peer.rejected(index(6), index(5))
    expect(peer).toMatchObject({ state: 'probe', next: 5, inflight: 0 })
    peer.rejected(index(9), index(2))
    expect(peer.next).toBe(5)
  })

  it('takes the hint, but nothing at or below what matches, and at least one step', () => {
    const probing = (): Progress => new Progress(index(10), 8)
    const hinted = probing()
    hinted.rejected(index(9), index(3))
    expect(hinted.next).toBe(4)
    const useless = probing()
    useless.rejected(index(9), index(9))
    expect(useless.next).toBe(9)
  })

  it('tells a new commit index once', () => {
    const peer = replicating()
    expect(peer.wantsEmpty(index(3), false)).toBe(true)
    peer.sent(index(4), index(3), now)
    expect(peer.wantsEmpty(index(3), false)).toBe(false)
  })

  it('with lazy commits tells a new commit index at once only up to where somebody waits for it', () => {
    const peer = replicating()
    expect(peer.wantsEmpty(index(3), true)).toBe(false)
    peer.tellCommit(index(2))
    expect(peer.wantsEmpty(index(3), true)).toBe(true)
    peer.sent(index(4), index(3), now)
    expect(peer.wantsEmpty(index(4), true)).toBe(false)
  })

  it('waits for a snapshot, until what it has is where the log begins, or the caller says how it went', () => {
    const peer = replicating()
    peer.sentSnapshot(index(20))
    expect(peer).toMatchObject({ state: 'snapshot', open: false, next: 21, pendingSnapshot: 20 })
    peer.acknowledged(index(12), index(15))
    expect(peer).toMatchObject({ state: 'snapshot', match: 12 })
    peer.acknowledged(index(14), index(15))
    expect(peer).toMatchObject({ state: 'replicate', match: 14, next: 15, open: true })
    const lost = replicating()
    lost.sentSnapshot(index(20))
    lost.snapshotDone(false)
    expect(lost).toMatchObject({ state: 'probe', next: 5, open: true })
    const arrived = replicating()
    arrived.sentSnapshot(index(20))
    arrived.snapshotDone(true)
    expect(arrived).toMatchObject({ state: 'probe', next: 21, open: false })
  })
})

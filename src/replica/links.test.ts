import { describe, expect, test } from 'vitest'
import { replicaId } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import { Links } from './links.ts'
import { Outbox } from './outbox.ts'

const [leader, other] = [replicaId(1), replicaId(2)]
const [dead, next] = ['2.b.1', '2.b.2'] as [Life, Life]

/** Of replica 3: replica 1 leads; replica 2 died, and its address refuses connections. */
function afterADeath(): { readonly links: Links; readonly sentTo: () => readonly unknown[] } {
  const outbox = new Outbox()
  const links = new Links('3.c.1' as Life, outbox)
  links.leader = leader
  links.change({ kind: 'link', peer: leader, state: { kind: 'up', life: '1.a.1' as Life, formats: KNOWN_FORMATS } })
  links.change({ kind: 'link', peer: other, state: { kind: 'up', life: dead, formats: KNOWN_FORMATS } })
  links.change({ kind: 'link', peer: other, state: { kind: 'refused' } })
  return { links, sentTo: () => outbox.take().flatMap((effect) => (effect.kind === 'peer' ? [effect.to] : [])) }
}

describe('a replica whose address refused connections', () => {
  test('is dead, and gets nothing', () => {
    const { links, sentTo } = afterADeath()
    expect([links.isDead(dead), links.send(other, { kind: 'leave' }), sentTo()]).toEqual([true, false, []])
  })

  test('is back once its next life is heard by way of the leader: what is for it goes that way', () => {
    const { links, sentTo } = afterADeath()
    links.heardByLeader(next)
    expect([links.isDead(dead), links.isDead(next)]).toEqual([true, false])
    expect([links.send(other, { kind: 'leave' }), sentTo()]).toEqual([true, [leader]])
  })

  test('stays dead if what comes by way of the leader was said by the life that died', () => {
    const { links, sentTo } = afterADeath()
    links.heardByLeader(dead)
    expect([links.isDead(dead), links.send(other, { kind: 'leave' }), sentTo()]).toEqual([true, false, []])
  })
})

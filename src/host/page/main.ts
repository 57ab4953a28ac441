/// <reference lib="dom" />
// The page of a set (docs/PAGE.md): hears what `GET /live` tells, and gives it to the parts that draw it.

import { CallPanel } from './call-panel.ts'
import { CallsPanel } from './calls-panel.ts'
import { byId, setText } from './dom.ts'
import { FailoversPanel } from './failovers-panel.ts'
import { LiveSource } from './live-source.ts'
import { Plot, spanOf } from './plot.ts'
import type { PlotPoint } from './plot.ts'
import { ReplicasTable, sentenceOf } from './replicas-table.ts'
import type { CallNews, FailoverNews, Hello, Point, Tick } from './shapes.ts'
import { TimersPanel } from './timers-panel.ts'
import { duration, grouped } from './words.ts'

/** A set of one who looks: what it shows last longer than any screen. */
const POINTS = 400
const CALLS_MS = 3_000

const PLOTS: readonly { readonly plot: Plot; readonly of: (point: Point) => readonly (number | null)[] }[] = [
  {
    plot: plotOf('Calls up', 'answered', ['', 'first'], ['ringing', 'second']),
    of: ({ confirmed, early }) => [confirmed, early],
  },
  { plot: plotOf('New calls', 'per second', ['', 'first']), of: ({ started }) => [started] },
  {
    plot: plotOf('INVITE to 2xx', 'ms, the median', ['', 'first'], ['95 %', 'second']),
    of: ({ setup50, setup95 }) => [setup50, setup95],
  },
  { plot: plotOf('Commits', 'per second', ['', 'first']), of: ({ commits }) => [commits] },
  {
    plot: plotOf('Time of a commit', 'ms, the median', ['', 'first'], ['99 %', 'second']),
    of: ({ commit50, commit99 }) => [commit50, commit99],
  },
]

class Page {
  readonly #replicas = new ReplicasTable((replica) => void this.#kill(replica))
  readonly #failovers = new FailoversPanel()
  readonly #timers = new TimersPanel()
  readonly #call = new CallPanel()
  readonly #calls = new CallsPanel((callId) => {
    location.hash = `#call=${encodeURIComponent(callId)}`
  })
  readonly #source = new LiveSource({
    heard: (event, data) => this.#heard(event, data),
    connected: (isConnected) => this.#connected(isConnected),
  })
  #points: readonly Point[] = []
  #tick: Tick | null = null
  #token: string | null = null
  #isConnected: boolean | null = null
  #leader: number | null = null

  start(): void {
    byId('plots').replaceChildren(...PLOTS.map(({ plot }) => plot.figure))
    addEventListener('hashchange', () => this.#look())
    addEventListener('resize', () => this.#drawPictures())
    setInterval(() => {
      if (!document.hidden) void this.#calls.refresh()
    }, CALLS_MS)
    this.#look()
    void this.#calls.refresh()
  }

  /** The address says which call is looked at. */
  #look(): void {
    const given = /^#call=(.+)$/.exec(location.hash)?.[1] ?? ''
    let callId = ''
    try {
      callId = decodeURIComponent(given)
    } catch {
      // A hash that somebody typed.
    }
    this.#call.open(callId)
    this.#calls.chosen = callId
    this.#source.open(callId)
  }

  #heard(event: string, data: unknown): void {
    switch (event) {
      case 'hello':
        return this.#hello(data as Hello)
      case 'tick':
        return this.#drawTick(data as Tick)
      case 'failovers':
        this.#failovers.news = data as FailoverNews
        return this.#drawPictures()
      case 'call':
        return this.#call.heard(data as CallNews)
    }
  }

  #hello({ name, set, sip, token, points }: Hello): void {
    setText(byId('where'), `${name === 'up' ? '' : `${name} of `}set ${set} · SIP on ${sip}`)
    this.#token = token
    this.#replicas.mayKill = token !== null
    const known = new Set(this.#points.map(({ at }) => at))
    const all = [...this.#points, ...points.filter(({ at }) => !known.has(at))]
    this.#points = all.sort((a, b) => a.at - b.at).slice(-POINTS)
  }

  #drawTick(tick: Tick): void {
    const before = this.#tick
    this.#tick = tick
    this.#points = [...this.#points, tick.point].slice(-POINTS)
    const { replicas, counts, timers, endings } = tick
    this.#replicas.draw(replicas)
    this.#say(before, tick)
    const calls = counts === null ? null : counts.early + counts.confirmed
    setText(byId('sentence'), sentenceOf(replicas, calls))
    setText(byId('count-early'), counts === null ? '–' : grouped(counts.early))
    setText(byId('count-confirmed'), counts === null ? '–' : grouped(counts.confirmed))
    setText(byId('count-groups'), counts === null ? '–' : grouped(counts.groups))
    setText(byId('count-intents'), counts === null ? '–' : grouped(counts.intents))
    setText(byId('endings'), endings.map(([cause, count]) => `${cause} ${grouped(count)}`).join(' · ') || 'none')
    this.#timers.draw(timers, counts?.timers ?? 0, tick.at)
    this.#drawPictures()
    if (!document.hidden) void this.#call.refresh()
  }

  /** Read out: who is gone, who is back, who leads now. */
  #say(before: Tick | null, { replicas }: Tick): void {
    const leader = replicas.find(({ role, trouble }) => trouble === null && role === 'leader')?.id ?? null
    const news: string[] = []
    for (const { id, trouble } of replicas) {
      const was = before?.replicas.find((one) => one.id === id)
      if (was === undefined || (was.trouble === null) === (trouble === null)) continue
      news.push(trouble === null ? `Replica ${id} runs again.` : `Replica ${id} is gone: ${trouble}.`)
    }
    if (leader !== null && this.#leader !== null && leader !== this.#leader) news.push(`Replica ${leader} leads now.`)
    if (leader !== null) this.#leader = leader
    if (news.length > 0) this.#failovers.told(news.join(' '))
  }

  #drawPictures(): void {
    const tick = this.#tick
    if (tick === null || document.hidden) return
    const span = spanOf(this.#points[0]?.at ?? tick.at, tick.at)
    setText(byId('span'), `the last ${span === 60_000 ? 'minute' : `${span / 60_000} minutes`}`)
    for (const { plot, of } of PLOTS) {
      const points = this.#points.map((point): PlotPoint => ({ at: point.at, values: of(point) }))
      plot.draw(points, tick.at, span)
    }
    this.#failovers.draw(
      tick.replicas.map(({ id }) => id),
      tick.at,
    )
  }

  #connected(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return
    const wasLost = this.#isConnected === false
    this.#isConnected = isConnected
    document.body.classList.toggle('lost', !isConnected)
    const age = this.#tick === null ? '' : ` What you see is ${duration(Math.max(0, Date.now() - this.#tick.at))} old.`
    if (isConnected) setText(byId('link'), wasLost ? 'live again' : 'live')
    else setText(byId('link'), `Connection lost, trying again.${age}`)
  }

  async #kill(replica: number): Promise<void> {
    if (this.#token === null) return
    try {
      const answer = await fetch('kill', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Holdfast-Token': this.#token },
        body: JSON.stringify({ replica }),
      })
      const { error } = (await answer.json()) as { readonly error?: string }
      this.#failovers.told(
        answer.ok ? `Replica ${replica} was killed.` : `It was not killed: ${error ?? answer.status}`,
      )
    } catch {
      this.#failovers.told('It was not killed: nobody answers.')
    }
  }
}

function plotOf(title: string, unit: string, ...lines: readonly (readonly [name: string, className: string])[]): Plot {
  return new Plot({ title, unit, lines: lines.map(([name, className]) => ({ name, className })) })
}

new Page().start()

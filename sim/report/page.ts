// One run as one page: the time line of its replicas and the ladder of a call, with everything in the file. It loads nothing.

import { callToShow } from './chronicle.ts'
import type { Chronicle } from './chronicle.ts'
import type { PageData } from './page-parts.ts'
import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'

export interface PageOptions {
  /** How it is asked for again. */
  readonly command: string
  /** As a scenario's source. */
  readonly scenario: string
  readonly doom: PageData['doom']
}

/** The page of a run. */
export function pageHtml(chronicle: Chronicle, { command, scenario, doom }: PageOptions): string {
  const { plan, result } = chronicle
  const data: PageData = { chronicle, call: callToShow(chronicle), scenario, doom }
  const title = `holdfast sim, seed ${plan.seed}${result.failure === null ? '' : `: ${result.failure.promise} broken`}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${pageStyle}</style>
<script>document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'</script>
</head>
<body>
<main>
<header>
  <div>
    <h1>${escaped(title)}</h1>
    <p class="soft">${escaped(factsOf(chronicle))}</p>
    <p class="soft">again: <code>${escaped(command)}</code></p>
  </div>
  <button id="theme" type="button">Light or dark</button>
</header>
${verdict(chronicle)}
<section aria-label="time line">
  <div class="bar">
    <h2>Time line</h2>
    <div class="legend">${legend}</div>
    <span class="grow"></span>
    <span>
      <button id="zoom-in" type="button" aria-label="zoom in">+</button>
      <button id="zoom-out" type="button" aria-label="zoom out">−</button>
      <button id="zoom-call" type="button">The call</button>
      <button id="zoom-all" type="button">All</button>
    </span>
  </div>
  <div id="timeline" tabindex="0" aria-label="time line; arrow keys move, + and - zoom, 0 shows all"></div>
</section>
<section aria-label="ladder">
  <div class="bar">
    <h2>Ladder</h2>
    <label>Call <select id="call"></select></label>
    <div class="legend">${ladderLegend}</div>
  </div>
  <div class="split">
    <div id="ladder"></div>
    <div id="detail" aria-live="polite"></div>
  </div>
</section>
<section id="scenario" aria-label="scenario">
  <div class="bar"><h2>Scenario</h2><span class="soft">for sim/scenarios.ts</span></div>
  <pre>${escaped(scenario)}</pre>
</section>
</main>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>
${pageScript.replaceAll('</script', '<\\/script')}
</script>
</body>
</html>
`
}

function factsOf({ plan, result, end }: Chronicle): string {
  const { events, traceHash, kills } = result
  return [
    `replicas: ${plan.replicas}`,
    `calls: ${plan.calls.length}`,
    `planned faults: ${plan.faults.length}, kills: ${kills}`,
    `${(end / 1_000_000).toFixed(1)} s`,
    `events: ${events}`,
    `trace ${traceHash}`,
  ].join(' · ')
}

function verdict({ result: { failure, excused } }: Chronicle): string {
  if (failure === null) return `<p class="verdict"><b>Nothing broke.</b>Calls excused: ${excused}.</p>`
  const when = (failure.at / 1_000_000).toFixed(6)
  return `<p class="verdict bad"><b>${escaped(failure.promise)} broke at ${when} s.</b><span class="mono">${escaped(failure.text)}</span></p>`
}

const legend = [
  ['leader', 'leader'],
  ['follower', 'follower (term/epoch)'],
  ['candidate', 'candidate'],
  ['dead', 'dead'],
  ['paused', 'stopped'],
  ['cut', 'cut off'],
  ['owner', 'owns the call'],
]
  .map(([colour, name]) => `<span><i style="background: var(--${colour})"></i>${name}</span>`)
  .join('')

const ladderLegend = [
  ['request', 'request'],
  ['provisional', '1xx'],
  ['success', '2xx'],
  ['refusal', '3xx to 6xx'],
  ['passed', 'passed on to the owner'],
  ['commit', 'committed'],
  ['bad', 'lost, dead'],
]
  .map(([colour, name]) => `<span><i style="background: var(--${colour})"></i>${name}</span>`)
  .join('')

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

// A web page that shows the calls of this application and ends them. The page is served at any replica; what its buttons do is committed
// before the browser hears of it.

import { defineApplication } from 'holdfast/servlet'
import type { ConvergedHttpSession, HttpContext, SessionPage } from 'holdfast/servlet'

export const callsPage = defineApplication({
  name: 'calls',

  doInvite(request) {
    // Its session is there for as long as the call, not for three minutes.
    request.applicationSession.setExpires(0)
    request.getProxy().proxyTo()
  },

  doHttp(request, context) {
    const url = new URL(request.url)
    const path = url.pathname.slice(context.prefix.length)
    if (request.method === 'POST' && path === '/end') return end(context)
    if (request.method !== 'GET') return new Response('only GET here', { status: 405, headers: { Allow: 'GET' } })
    if (path === '/call') return show(context)
    return path === '/'
      ? list(context, Number(url.searchParams.get('from') ?? 0))
      : new Response('not here', { status: 404 })
  },
})

function list(context: HttpContext, from: number): Response {
  const { sessions, next } = context.listSessions(from)
  const rows = sessions.map((one) => rowOf(one, context.prefix))
  const more = next === null ? '' : `<p><a href="${context.prefix}/?from=${next}">More calls</a></p>`
  return page('Calls', `<table><tr><th>From<th>To<th>State<th>Since<th></tr>${rows.join('')}</table>${more}`)
}

function rowOf({ sessions, creationTime, encodeURL }: SessionPage['sessions'][number], prefix: string): string {
  const [call] = sessions
  if (call === undefined) return ''
  const since = new Date(creationTime).toISOString()
  const [from, to] = [String(call.localParty.uri), String(call.remoteParty.uri)]
  const parties = `<td><a href="${text(encodeURL(`${prefix}/call`))}">${text(from)}</a><td>${text(to)}`
  return `<tr>${parties}<td>${call.state}<td>${since}<td>${call.state === 'CONFIRMED' ? button(encodeURL(`${prefix}/end`)) : ''}</tr>`
}

function show(context: HttpContext): Response {
  const session = context.getSession(false)
  if (session === null) return over()
  const calls = session.applicationSession.sessions.map((one) => `<li>${one.state}, Call-ID ${text(one.callId)}`)
  const since = new Date(session.applicationSession.creationTime).toISOString()
  return page(
    'Call',
    `<p>Since ${since}</p><ul>${calls.join('')}</ul>${button(session.encodeURL(`${context.prefix}/end`))}`,
  )
}

/** A BYE to both sides, in the log before the browser is sent back to the list. */
function end(context: HttpContext): Response {
  const session: ConvergedHttpSession | null = context.getSession(false)
  if (session === null) return over()
  for (const call of session.applicationSession.sessions) if (call.state === 'CONFIRMED') call.endCall()
  return new Response(null, { status: 303, headers: { Location: `${context.prefix}/` } })
}

function over(): Response {
  return page('Call', '<p>This call is over.</p>', 410)
}

function button(action: string): string {
  return `<form method="post" action="${text(action)}"><button>End this call</button></form>`
}

function page(title: string, body: string, status = 200): Response {
  const html = `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}</html>`
  return new Response(html, {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; form-action 'self'",
    },
  })
}

/** What phones say of themselves is text, never HTML. */
function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

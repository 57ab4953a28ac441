// doHttp in an application's worker: the web's Request made of what the replica was told, the handler, and its Response as plain values.
// The body is read to its end before the turn is over: what is told of a session stands or falls with what was done to it.

import type { AppAnswer, AppCall } from '../app/contract.ts'
import type { HttpRequest, HttpResponse, HttpResult } from '../app/http.ts'
import { appLimits } from '../app/limits.ts'
import type { Application } from '../servlet/application.ts'
import { UnavailableError } from '../servlet/illegal-state.ts'
import type { SessionPorts } from '../servlet/other-sessions.ts'
import { beginHttp } from '../servlet/run-handler.ts'

/** `failure`: the answer for what the handler threw. */
export async function answerHttp(
  application: Application,
  call: AppCall,
  failure: (error: unknown) => AppAnswer,
  ports?: SessionPorts,
): Promise<AppAnswer> {
  const { http, run, finish } = beginHttp(application, call, ports)
  let response: HttpResponse | null = null
  let refusal: HttpResponse | null = null
  try {
    if (call.http === null) throw new TypeError('a call for doHttp has a request')
    response = await dataOf(await run(requestOf(call.http.request)))
  } catch (error) {
    // What it wants it gets, whatever became of the exception that said so.
    if (!http.isAgain) {
      if (!(error instanceof UnavailableError)) return failure(error)
      refusal = unavailable(error)
    }
  }
  try {
    const ops = finish()
    if (refusal !== null) return { kind: 'done', ops: [], result: answered(refusal) }
    return { kind: 'done', ops: http.isAgain ? [] : ops, result: http.result(response) }
  } catch (error) {
    return failure(error)
  }
}

/** Other sessions could not be asked or changed now: what the handler did is undone, and the browser is told to ask again. */
function unavailable({ message }: UnavailableError): HttpResponse {
  const headers: [string, string][] = [
    ['content-type', 'text/plain; charset=UTF-8'],
    ['retry-after', '1'],
  ]
  return { status: 503, headers, body: new TextEncoder().encode(`${message}\n`) }
}

function answered(response: HttpResponse): HttpResult {
  return { kind: 'response', response, keeps: null }
}

function requestOf({ method, url, headers, body }: HttpRequest): Request {
  const hasBody = method !== 'GET' && method !== 'HEAD' && body.length > 0
  return new Request(url, {
    method,
    headers: headers.map(([name, value]) => [name, value]),
    ...(hasBody ? { body: new Uint8Array(body) } : {}),
  })
}

/** What a connection says for itself. */
const OF_THE_CONNECTION = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding', 'upgrade'])

async function dataOf(value: unknown): Promise<HttpResponse> {
  if (!(value instanceof Response)) {
    throw new TypeError(
      `doHttp should return a Response, as in return new Response('hello'), not ${value === undefined ? 'nothing' : String(value)}`,
    )
  }
  const { status } = value
  if (status < 200) throw new TypeError(`doHttp returns a Response with a status from 200 to 599, not ${status}`)
  const body = new Uint8Array(await value.arrayBuffer())
  if (body.length > appLimits.httpBytes) {
    throw new RangeError(
      `the Response of doHttp has ${body.length} bytes; one has room for ${appLimits.httpBytes}: answer with a part of it`,
    )
  }
  const headers = [...value.headers].filter(([name]) => !OF_THE_CONNECTION.has(name))
  return { status, headers, body }
}

// In the browser: JsSIP phones by name, each with a WebSocket of its own; what happens to them is told by `report`. Commands come
// from browser.ts. A final answer is read off its transaction, for JsSIP tells some of them to nobody; only the first one, for a 200 that is
// repeated is no answer to what was asked since.

/* global JsSIP, report */

const phones = new Map()
const sessions = new Map()

window.connect = (phone, url, uri) => {
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri,
    register: false,
    session_timers: false,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 2,
  })
  phones.set(phone, ua)
  ua.on('connected', () => report({ kind: 'connected', phone }))
  ua.on('disconnected', () => report({ kind: 'disconnected', phone }))
  ua.on('newTransaction', ({ transaction }) => {
    const { request, type } = transaction
    if (type !== 'ict' && type !== 'nict') return
    let isAnswered = false
    const receive = transaction.receiveResponse.bind(transaction)
    transaction.receiveResponse = (response) => {
      if (response.status_code >= 200 && !isAnswered) {
        isAnswered = true
        report({ kind: 'final', callId: request.call_id, method: request.method, status: response.status_code })
      }
      receive(response)
    }
  })
  ua.start()
}

window.call = (phone, target) => {
  const session = phones.get(phone).call(target, { mediaConstraints: { audio: true, video: false } })
  const callId = session._request.call_id
  sessions.set(callId, session)
  session.on('progress', () => report({ kind: 'rings', callId }))
  session.on('confirmed', () => report({ kind: 'up', callId }))
  session.on('failed', ({ cause }) => report({ kind: 'over', callId, cause }))
  session.on('ended', ({ cause }) => report({ kind: 'over', callId, cause }))
  session.on('newInfo', ({ originator }) => originator === 'remote' && report({ kind: 'asked', callId }))
  return callId
}

window.inform = (callId, text) => sessions.get(callId).sendInfo('text/plain', text)
window.renegotiate = (callId) => sessions.get(callId).renegotiate()
window.hangUp = (callId) => sessions.get(callId).terminate()

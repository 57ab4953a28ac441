// holdfast/sip: the codec. Messages as values, spliced on the way out; linear time and bounds for whatever the network
// sends.

export {
  type HeaderList,
  type RequestParts,
  type ResponseParts,
  buildRequest,
  buildResponse,
  reasonPhrase,
} from './build.ts'
export { type CSeq, parseCSeq } from './cseq.ts'
export { Edit, edit } from './edit.ts'
export { sipLimits } from './limits.ts'
export {
  type ParseError,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  body,
  callId,
  contacts,
  cseq,
  from,
  fromTag,
  header,
  headers,
  maxForwards,
  parseMessage,
  recordRoutes,
  routes,
  to,
  toTag,
  topVia,
  values,
  vias,
} from './message.ts'
export { type NameAddr, nameAddrText, parseNameAddr } from './name-addr.ts'
export { type Params, paramsText } from './params.ts'
export { type FrameEvent, StreamFramer } from './stream.ts'
export { type OtherUri, type SipUri, type Uri, equalUris, parseUri, uriText } from './uri.ts'
export { type Via, parseVia, viaText } from './via.ts'

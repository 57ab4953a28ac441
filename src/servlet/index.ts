// `holdfast/servlet`: what an application is written with (docs/APPLICATIONS.md).

export { defineApplication } from './application.ts'
export type { Application, ApplicationDefinition, ListenerHandlers, MessageHandlers } from './application.ts'
export { defineRouter } from './router.ts'
export type {
  GetNextApplication,
  NextApplication,
  Region,
  RoutedRequest,
  RouterDefinition,
  RoutingDirective,
} from './router.ts'
export { attribute } from './attribute.ts'
export type { AttributeName } from './attribute.ts'
export { IllegalStateError, UnavailableError } from './illegal-state.ts'
export type {
  Address,
  AttributeValue,
  B2buaHelper,
  ConvergedHttpSession,
  FoundSession,
  HandlerContext,
  HttpContext,
  Proxy,
  ServletTimer,
  SessionPage,
  SipApplicationSession,
  SipErrorEvent,
  SipFactory,
  SipServletRequest,
  SipServletResponse,
  SipSession,
  SipSessionState,
  SipSessionsUtil,
  TimerService,
  URI,
} from './api.ts'

// To run an application without a set, in a test of its own.
export { beginTurn, runHandler } from './run-handler.ts'
export type { BegunTurn } from './run-handler.ts'
export type { SessionPorts } from './other-sessions.ts'
export type { AppAnswer, AppCall, AppMessage, HandlerName, Op, SessionView, SipSessionView } from '../app/contract.ts'

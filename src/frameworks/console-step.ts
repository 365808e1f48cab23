import { GeneralError } from '../base/errors.ts'
import { checkOptions } from '../base/options.ts'
import { outsideRequests } from '../base/outside-requests.ts'
import type { BodySource, ConsoleHandler, ConsoleOptions } from '../transport/console-port.ts'
import { consolePlace, consoleRules } from '../transport/console-port.ts'
import type { HttpExchange, StreamedResponse } from '../transport/exchange.ts'
import type { HttpSessions } from '../transport/http-sessions.ts'
import { notCalled } from './must-be-called.ts'

/** The step of `console`: it answers the requests whose path is the console's. */
export function consoleStep<Request>(
  http: Pick<HttpSessions<object, object>, 'openConsole' | 'policy'>,
  given: readonly unknown[],
  options: ConsoleOptions<Request>,
  bodyOf: (request: Request) => BodySource = unreadable,
): (exchange: HttpExchange, request: Request) => Promise<StreamedResponse | null> {
  // A framework that got `console` instead of `console(options)` passes a request, and more.
  if (given.length > 1) throw notCalled('console', '{ authorize }')
  checkOptions('console', consoleRules, options)
  const place = consolePlace(options, http.policy)
  let opening: Promise<ConsoleHandler> | null = null
  const open = (): Promise<ConsoleHandler> => opening ??= outsideRequests(() => http.openConsole(place))
  // It begins to measure now. What fails is tried again, and fails, at the first request.
  open().catch(() => {
    opening = null
  })
  return async (exchange, request) => {
    if (!isBelow(exchange.request.path, place.path)) return null
    const console = await open()
    return console.handle({
      exchange,
      authorize: () => options.authorize(request),
      body: () => bodyOf(request),
    })
  }
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`)
}

function unreadable(): never {
  throw new GeneralError('MISUSE', 'this adapter cannot read the body of a request: its part `body` is missing')
}

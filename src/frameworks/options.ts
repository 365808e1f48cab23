import { duration } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { callback, required, withDefault } from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'
import { loginPathRule } from '../transport/get-session-options.ts'
import type { ExpressOptions } from './express.ts'
import type { FastifyOptions } from './fastify.ts'
import type { H3Options } from './h3.ts'
import type { HonoOptions } from './hono.ts'
import type { KoaOptions } from './koa.ts'
import type { NestOptions } from './nest.ts'
import type { NextOptions } from './next.ts'
import type { NodeOptions } from './node.ts'
import type { SocketIoOptions } from './socketio.ts'
import type { SvelteKitOptions } from './sveltekit.ts'
import type { TrpcOptions } from './trpc.ts'
import type { WebOptions } from './web.ts'
import type { WsOptions } from './ws.ts'

// Created once, so that the rules below call no function: only then can a bundler remove the rules of unused adapters.
// `never` makes them rules for functions of every type.
const given: Rule<never, undefined> = callback()
const needed: Rule<never, undefined> = required(given)
const common = { clientIp: given, onError: given }

/** What the options of `expressSessions` accept. */
export const expressRules: RulesFor<ExpressOptions> = common
/** What the options of `fastifySessions` accept. */
export const fastifyRules: RulesFor<FastifyOptions> = common
/** What the options of `h3Sessions` accept. */
export const h3Rules: RulesFor<H3Options> = common
/** What the options of `honoSessions` accept. */
export const honoRules: RulesFor<HonoOptions> = common
/** What the options of `koaSessions` accept. */
export const koaRules: RulesFor<KoaOptions> = common
/** What the options of `nodeSessions` accept. */
export const nodeRules: RulesFor<NodeOptions> = common
/** What the options of `webSessions` accept. */
export const webRules: RulesFor<WebOptions> = common
/** What the options of `nestSessions` accept. */
export const nestRules: RulesFor<NestOptions> = {
  Catch: needed, createParamDecorator: needed, clientIp: given, findRequest: given, onError: given,
}
/** What the options of `nextSessions` accept. */
export const nextRules: RulesFor<NextOptions> = {
  clientIp: given, onError: given, headers: needed, cookies: needed, io: needed, redirect: given,
  loginPath: loginPathRule,
}
/** What the options of `svelteKitSessions` accept. */
export const svelteKitRules: RulesFor<SvelteKitOptions> = { clientIp: given, onError: given, error: needed }
/** What the options of `trpcSessions` accept. */
export const trpcRules: RulesFor<TrpcOptions> = { TRPCError: needed, clientIp: given, webClientIp: given }

/** How often open connections are checked, in seconds. */
export const checkIntervalRule: Rule<Duration, number> = withDefault(1, duration(0.01, 3600))
/** What the options of `wsSessions` accept. */
export const wsRules: RulesFor<WsOptions> = { clientIp: given, checkInterval: checkIntervalRule, onError: given }
/** What the options of `socketIoSessions` accept. */
export const socketIoRules: RulesFor<SocketIoOptions> = wsRules

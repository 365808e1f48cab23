import { duration } from '../base/duration.ts'
import type { Duration } from '../base/duration.ts'
import { GeneralError } from '../base/errors.ts'
import {
  checkCallOptions, checkOptions, explicit, flag, listOf, oneOf, rule, withDefault,
} from '../base/options.ts'
import type { Rule, RulesFor } from '../base/options.ts'
import type { Blacklisting } from '../session/core.ts'
import { claimValidatorRule } from './claim-validators.ts'
import type { ClaimValidator } from './claim-validators.ts'
import type { HttpPolicy } from './http-policy.ts'
import { isLocalAddress } from './return-address.ts'

/** The options of `getSession`. */
export interface GetSessionOptions<Payload extends object> {
  /**
   * Whether to check that the request does not come from another site. Default: true for unsafe methods and for
   * requests that open a connection, false otherwise.
   */
  readonly csrf?: boolean
  /** Whether a request without a session is an error; for `requireSession` it always is. Default: true. */
  readonly required?: true
  /** How access tokens of revoked sessions are rejected. Default: the option `accessTokenBlacklisting`. */
  readonly blacklisting?: Blacklisting
  /** The checks that the claims must pass. Default: none. */
  readonly claimValidators?: readonly ClaimValidator<Payload>[]
  /**
   * How long ago the user may have logged in or authenticated again: from 0 to 400 days (REV-09). If the login is
   * older, the error is an `InvalidClaimsError` with the id `auth_time`: ask for the password, and call
   * `session.reauthenticate`. Default: no limit.
   */
  readonly maxAuthenticationAge?: Duration
  /**
   * Whether to refresh the session within the request if its access token has expired, before the handler runs: for
   * pages that the server renders and for their forms. Needs `cookie.refreshTokenPath: '/'`. 0 store calls, 1 if it
   * refreshes. Default: false.
   */
  readonly refresh?: boolean
}

/** The options of `requireSession`. */
export interface RequireSessionOptions<Payload extends object> extends GetSessionOptions<Payload> {
  /**
   * The path of the login page, as browsers request it: `/login`. Browsers that request a page without a session are
   * redirected there with 303 and the address that they requested, `?returnTo=%2Forders`; the login page checks it with
   * `returnAddress`. Other requests, such as those of scripts, get the error. Default: all get the error.
   */
  readonly loginPath?: string
}

/** {@link GetSessionOptions} of a route that also accepts requests without a session. */
export interface GetOptionalSessionOptions<Payload extends object>
  extends Omit<GetSessionOptions<Payload>, 'required'> {
  /** False: without a session, the call resolves to null and does not reject. Default: true. */
  readonly required: false
}

/** The last argument of `getSession`: options, or only the value of `csrf`. */
export type GetSessionArgument<Payload extends object> =
  | boolean
  | GetSessionOptions<Payload>
  | GetOptionalSessionOptions<Payload>

/** The rules of the options of {@link getSession}. */
export const getSessionRules: RulesFor<
  Omit<GetSessionOptions<object>, 'required'> & { readonly required?: boolean }
> = {
  csrf: flag,
  required: withDefault(true, flag),
  blacklisting: oneOf('off', 'feed', 'strict'),
  claimValidators: explicit(listOf('an array of claim validators', claimValidatorRule)),
  maxAuthenticationAge: explicit(duration(0, 400 * 86_400)),
  refresh: withDefault(false, flag),
}

/** The path of a login page. */
export const loginPathRule: Rule<string, undefined> = rule('a path on this site such as "/login"', isLocalAddress)

/** The rules of the options that only `requireSession` has. */
export const guardRules: RulesFor<Omit<RequireSessionOptions<object>, keyof GetSessionOptions<object>>> = {
  loginPath: loginPathRule,
}

const requireSessionRules: RulesFor<RequireSessionOptions<object>> = {
  ...getSessionRules,
  required: withDefault(true, rule('true, or left out: where a session is optional, call getSession',
    (value): value is true => value === true)),
  ...guardRules,
}

/**
 * Checks the options of a guard, once, when it is created.
 * @throws GeneralError (`MISUSE`) that names an invalid option, its value and what it must be.
 */
export function checkGuardOptions<Payload extends object>(
  options: RequireSessionOptions<Payload>,
  policy: HttpPolicy,
): void {
  checkOptions('requireSession', requireSessionRules, options)
  checkRefresh('requireSession', options, policy)
}

/** As {@link checkGuardOptions}, for a call that cannot send another response. @throws GeneralError (`MISUSE`) */
export function checkGetSessionOptions<Payload extends object>(
  options: GetSessionOptions<Payload>,
  policy: HttpPolicy,
): void {
  checkOptions('getSession', getSessionRules, options)
  checkRefresh('getSession', options, policy)
}

/** As {@link checkGetSessionOptions}, for options of every request. @throws GeneralError (`MISUSE`) */
export function checkOptionsOfCall<Payload extends object>(
  options: GetSessionOptions<Payload> | GetOptionalSessionOptions<Payload>,
  policy: HttpPolicy,
): void {
  checkCallOptions('getSession', getSessionRules, options)
  checkRefresh('getSession', options, policy)
}

/**
 * A refresh within a request needs its refresh token. @throws GeneralError (`MISUSE`) if browsers would not send it.
 */
function checkRefresh(owner: string, { refresh }: { readonly refresh?: boolean }, { cookies }: HttpPolicy): void {
  const { path } = cookies.refreshToken.attributes
  if (refresh !== true || path === '/') return
  throw new GeneralError('MISUSE', `${owner} with refresh: true needs the refresh token in every request; browsers `
    + `send its cookie only to ${path}. Set cookie.refreshTokenPath to "/" in createSessions`)
}

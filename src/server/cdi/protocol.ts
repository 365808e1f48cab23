/** The versions of access tokens that this server writes and reads. */
export type AccessTokenVersion = '3' | '4' | '5'

/** The behaviour of one version of CDI. */
export interface Protocol {
  readonly version: string
  readonly accessTokenVersion: AccessTokenVersion
  /** Whether paths may name a tenant, and sessions carry `tenantId`. */
  readonly hasTenants: boolean
  /** Whether sessions carry `recipeUserId`. */
  readonly hasRecipeUsers: boolean
  /** Whether a refresh must name the kind of key that signs, and a path with a tenant is not for all tenants. */
  readonly isStrict: boolean
  /** Whether `verify` never returns a new access token, and a call may request a shorter access token lifetime. */
  readonly isEager: boolean
}

/** The versions that a request can announce, oldest first. Older ones need token formats that Keyturn does not have. */
export const protocolVersions: readonly string[] = [
  '2.21', '3.0', '3.1', '4.0', '5.0', '5.1', '5.2', '5.3', '5.4', '5.5', '5.6',
]

const protocols: ReadonlyMap<string, Protocol> = new Map(protocolVersions.map(version => {
  const order = orderOf(version)
  return [version, {
    version,
    accessTokenVersion: order >= orderOf('4.0') ? '5' : order >= orderOf('3.0') ? '4' : '3',
    hasTenants: order >= orderOf('3.0'),
    hasRecipeUsers: order >= orderOf('4.0'),
    isStrict: order >= orderOf('5.0'),
    isEager: order >= orderOf('5.6'),
  }]
}))

/** The newest version. It applies to requests that announce none. */
export const newestProtocol: Protocol = protocolOf('5.6') ?? unknownVersion()

/** The behaviour of a version; null if it is not served. */
export function protocolOf(version: string): Protocol | null {
  return protocols.get(version) ?? null
}

/** Whether a version is this one or a newer one. */
export function isAtLeast({ version }: Protocol, least: string): boolean {
  return orderOf(version) >= orderOf(least)
}

/** Whether a text has the form of a version. */
export function isVersion(text: string): boolean {
  return /^\d{1,4}\.\d{1,4}$/.test(text)
}

function orderOf(version: string): number {
  const [major, minor] = version.split('.').map(Number)
  return (major ?? 0) * 10_000 + (minor ?? 0)
}

function unknownVersion(): never {
  throw new TypeError('the newest version is not among the versions')
}

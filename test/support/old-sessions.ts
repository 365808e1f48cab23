import type { Awaitable } from '../../src/base/awaitable.ts'
import type {
  ForeignCredential, ForeignVerdict, ImportRequest, LiveForeignSession, SessionImporter,
} from '../../src/session/importer.ts'

/** A session of the sample system. */
export type OldSession = Partial<LiveForeignSession> & { readonly userId?: string; readonly isDead?: boolean }

/** A sample system: sessions by id, in the cookie `old` or as bearer tokens. Tests fail its calls and count them. */
export class OldSystem implements SessionImporter<string> {
  readonly source: string = 'sample'
  readonly at: SessionImporter['at'] = 'request'
  readonly sessions = new Map<string, OldSession>()
  readonly calls: string[] = []
  /** Awaited before the named call. It may throw. */
  before: (call: 'judge' | 'retire') => Promise<void> = async () => undefined

  read(request: ImportRequest): Awaitable<ForeignCredential<string> | null> {
    const { bearer } = request
    if (bearer?.startsWith('id-') === true) return { key: bearer, mode: 'header', state: bearer }
    const [value] = request.cookies('old')
    return value?.startsWith('id-') ? { key: value, mode: 'cookie', state: value } : null
  }

  async judge({ state }: ForeignCredential<string>): Promise<ForeignVerdict> {
    this.calls.push('judge')
    await this.before('judge')
    const session = this.sessions.get(state)
    if (session === undefined) return { kind: 'dead', reason: 'missing' }
    const { userId, isDead, ...rest } = session
    if (isDead === true) return { kind: 'dead', reason: 'expired' }
    if (userId === undefined) return { kind: 'anonymous' }
    return { issuedAt: null, authenticatedAt: null, persistent: true, ...rest, kind: 'alive', userId }
  }

  async retire({ state }: ForeignCredential<string>): Promise<void> {
    this.calls.push('retire')
    await this.before('retire')
    this.sessions.delete(state)
  }

  async retireUser(userId: string): Promise<void> {
    for (const [id, session] of this.sessions) if (session.userId === userId) this.sessions.delete(id)
  }

  clearings(): readonly { readonly name: string }[] {
    return [{ name: 'old' }]
  }
}

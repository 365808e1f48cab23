import type { Session, Sessions } from 'keyturn'

/** The JWT payload of the application that the tests write. */
export interface Claims {
  role: 'reader' | 'admin'
}

/** Its session info. */
export interface Info {
  readonly cart: string[]
}

/** What each call that finds a session must return. */
export type Found = Session<Claims, Info>

/** The application's sessions, for each adapter to give a shape to. */
export declare const sessions: Sessions<Claims, Info>

// What docs/client.md takes for granted on the server.
import type { Sessions } from 'keyturn'
import type { ExpressSessions } from 'keyturn/frameworks/express'

type Claims = { role?: string }

export declare const sessions: Sessions<Claims, object> & ExpressSessions<Claims, object>

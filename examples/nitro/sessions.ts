import { createSessions } from 'keyturn'
import { h3Sessions } from 'keyturn/frameworks/h3'

const { PORT = '3000' } = process.env

// Sessions live in the SQLite file keyturn.db.
export const sessions = h3Sessions(createSessions({ origin: `http://localhost:${PORT}` }))

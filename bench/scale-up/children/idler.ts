import { openStore } from '../open-store.ts'
import { createApplication } from '../sessions.ts'

// A process that has verified one token and has nothing more to do.

const [place = '', data = '', token = ''] = process.argv.slice(2)
await createApplication(openStore('postgres', place, data)).verify(token)
process.on('message', () => undefined)
process.on('disconnect', () => process.exit())
process.send?.('ready')

// The session of this page: Keyturn's client as plain modules, without a build step.
import { createClient } from '/keyturn/client/index.js'
import { createDevices } from '/keyturn/client/parts.js'

export const client = createClient()
export const devices = createDevices(client, { path: '/devices' })

/** A `fetch` that sends the session, and refreshes it when needed, once for all tabs. */
export const request = client.fetch

import axios from 'axios'
import type { AxiosInstance } from 'axios'
import { createClient } from 'keyturn/client'
import type { Client } from 'keyturn/client'
import { addSessionInterceptor } from 'keyturn/client/axios'
import { typeOf } from '../expect.ts'

const client = createClient()
typeOf(addSessionInterceptor)
  .is<(axios: AxiosInstance, client: Pick<Client<object>, 'exchanges'>) => () => void>()
addSessionInterceptor(axios, client)
addSessionInterceptor(axios.create(), client)
// @ts-expect-error: which instance
addSessionInterceptor(client)
// @ts-expect-error: whose session
addSessionInterceptor(axios, { fetch: client.fetch })

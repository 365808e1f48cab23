// The global `keyturn` of the pages in these tests: the client as applications import it, and the frameworks.
import axios from 'axios'
import { createElement, useEffect } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { createApp, effectScope, h, ref } from 'vue'
import { addSessionInterceptor } from '../../../src/client/axios.ts'
import { createClient } from '../../../src/client/index.ts'
import {
  connectEventSource, connectWebSocket, createDevices, endOnRevocation, patchFetch, sendXhr,
} from '../../../src/client/parts.ts'
import { IfSignedIn, IfSignedOut, SessionProvider, useSession, useSessionEnd } from '../../../src/client/react.ts'
import { sessionStore } from '../../../src/client/svelte.ts'
import { useSession as useVueSession } from '../../../src/client/vue.ts'

export {
  addSessionInterceptor, axios, connectEventSource, connectWebSocket, createApp, createClient, createDevices,
  createElement, createRoot, effectScope, endOnRevocation, h, hydrateRoot, IfSignedIn, IfSignedOut, patchFetch, ref,
  sendXhr, SessionProvider, sessionStore, useEffect, useSession, useSessionEnd, useVueSession,
}
export type { Client, ClientSession } from '../../../src/client/index.ts'

// The global `keyturn` of the pages in these tests: the client as applications import it, and the frameworks.
import axios from 'axios'
import { createElement, useEffect } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { createApp, effectScope, h, ref } from 'vue'
import { addSessionInterceptor } from '../../../src/client/axios.ts'
import { createClient } from '../../../src/client/index.ts'
import { createNativeClient } from '../../../src/client/native.ts'
import {
  checkOnFocus, connectEventSource, connectWebSocket, createDevices, createStepUp, endOnRevocation, patchFetch,
  reauthenticateWith, sendXhr,
} from '../../../src/client/parts.ts'
import {
  IfSignedIn, IfSignedOut, SessionProvider, useSession, useSessionEnd, useStepUp,
} from '../../../src/client/react.ts'
import { sessionStore, stepUpStore } from '../../../src/client/svelte.ts'
import { useSession as useVueSession, useStepUp as useVueStepUp } from '../../../src/client/vue.ts'

export {
  addSessionInterceptor, axios, checkOnFocus, connectEventSource, connectWebSocket, createApp, createClient,
  createDevices, createElement, createNativeClient, createRoot, createStepUp, effectScope, endOnRevocation, h,
  hydrateRoot, IfSignedIn,
  IfSignedOut, patchFetch, reauthenticateWith, ref, sendXhr, SessionProvider, sessionStore, stepUpStore, useEffect,
  useSession, useSessionEnd, useStepUp, useVueSession, useVueStepUp,
}
export type { Client, ClientSession } from '../../../src/client/index.ts'

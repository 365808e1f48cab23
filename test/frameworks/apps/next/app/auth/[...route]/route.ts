import { sessions } from '../../../sessions.ts'

export const { DELETE, GET, OPTIONS, PATCH, POST, PUT } = sessions.sessionRoutes()

import { fixture, sessions } from '../../sessions.ts'

const any = sessions.requireSession(() => {
  fixture.visit()
  return Response.json({})
})

export { any as DELETE, any as GET, any as HEAD, any as OPTIONS, any as PATCH, any as POST, any as PUT }

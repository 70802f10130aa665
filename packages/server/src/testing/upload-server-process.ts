// A server in a process of its own for the upload campaign: tells its parent where it listens, and how large it became.
import { openTestServer } from './test-server.ts'

const here = await openTestServer({ withWorker: false })
const url = await here.server.listen({ port: 0 })
const { authorization } = await here.authorize()
process.on('message', () => process.send?.({ rssBytesMax: process.resourceUsage().maxRSS * 1024 }))
process.on('disconnect', async () => {
  await here[Symbol.asyncDispose]()
  process.exit()
})
process.send?.({ url, authorization, artifactsDir: `${here.dir}/artifacts` })

// A server with the models app, for pictures of its page: serve-models.ts DASHBOARD_DIR. It says its login URL and a key in its first
// line, and ends when its input does.
import { Models } from './open-models.ts'

const [dashboardDir = ''] = process.argv.slice(2)
const models = await Models.open({ dashboardDir })
await models.machine.server.listen({ port: 0 })
console.log(await models.machine.server.loginUrl(), await models.keyOf(['submit', 'read-own', 'operate']))
for await (const _ of process.stdin);
await models[Symbol.asyncDispose]()
process.exit()
